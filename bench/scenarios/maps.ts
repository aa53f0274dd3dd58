import type { Scenario } from '../scenario';

const MB = 2 ** 20;

export const maps: Scenario = {
  name: 'maps',
  about: 'which id became which, whole, by GET …/duplication/maps',
  runs: 'each',
  measure: async ({ installation, mode, size, runs, say }) => {
    say('copy');
    const { id } = await installation.copy(size);
    const speeds = await installation.withService(async (service) => {
      const measured: number[] = [];
      for (let run = 0; run <= runs; run++) {
        say(run === 0 ? 'warm-up' : `${run} of ${runs}`);
        const { sentAt, lastByteAt, bytes } = await service.send({
          method: 'GET',
          path: `/training/tasks/${id}/duplication/maps`,
        });
        measured.push(bytes / MB / ((lastByteAt - sentAt) / 1_000));
      }
      return measured.slice(1);
    });
    return [{ scenario: 'maps', what: 'speed', mode, size, unit: 'MB/s', values: speeds }];
  },
};
