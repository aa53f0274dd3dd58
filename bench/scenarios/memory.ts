import { Readable } from 'node:stream';
import { dataSet } from '../data-set';
import { median, type Figure } from '../figure';
import { CAN_MEASURE_MEMORY } from '../memory';
import type { Copy, Installation } from '../installation';
import type { Scenario } from '../scenario';
import type { ServiceUnderTest } from '../service-under-test';
import { formatSize } from '../size';

const PEAK_MB_MAX = 200;
const GROWTH_MAX = 1.2;

/** The peak of the service's resident set; each of a process that did nothing else. */
export const memory: Scenario = {
  name: 'memory',
  about: 'the peak of the service, of every size and for everything that goes through it as a stream',
  runs: 'each',
  quick: [10_000, 100_000],
  measure: async (stage) => {
    if (!CAN_MEASURE_MEMORY) {
      console.error('NOT MEASURED: memory. Only Linux tells the peak of another process.');
      return [];
    }
    const { installation, mode, size, runs, say } = stage;
    say('a copy to read');
    const copy = await installation.copy(size);
    const figures: Figure[] = [];
    for (const [what, work] of Object.entries(streams(installation, copy))) {
      const peaks: number[] = [];
      for (let run = 1; run <= runs; run++) {
        say(`${what}, ${run} of ${runs}`);
        peaks.push(await peakOf(installation, work));
      }
      figures.push({
        scenario: 'memory',
        what,
        mode,
        size,
        unit: 'MB',
        values: peaks,
        goal: { atMost: PEAK_MB_MAX },
      });
    }
    return figures;
  },
  derive: growth,
};

type Work = (service: ServiceUnderTest) => Promise<unknown>;

function streams(installation: Installation, { id, source }: Copy): Record<string, Work> {
  const get = (path: string): Work => {
    return (service) => service.send({ method: 'GET', path: `/training/tasks/${path}` });
  };
  return {
    idle: () => Promise.resolve(),
    'copy and answer': (service) => into(installation, (target) => service.duplicate(source.id, target)),
    import: (service) =>
      into(installation, (target) => {
        return service.import(target, Readable.from(dataSet(source.images).text()));
      }),
    export: get(`${source.id}/coco`),
    maps: get(`${id}/duplication/maps`),
  };
}

/** Writes a task that does not stay. */
async function into(installation: Installation, write: (target: string) => Promise<unknown>): Promise<void> {
  const target = installation.newId();
  await write(target);
  await installation.remove(target);
  await installation.settle();
}

function peakOf(installation: Installation, work: Work): Promise<number> {
  return installation.withService(async (service) => {
    await service.resetPeak();
    await work(service);
    return service.peakMb();
  });
}

/** The peak with the largest task against that with the smallest. */
function growth(figures: readonly Figure[]): Figure[] {
  const sizes = figures.map(({ size }) => size);
  const [smallest, largest] = [Math.min(...sizes), Math.max(...sizes)];
  if (smallest >= largest) return [];
  return figures
    .filter(({ size }) => size === largest)
    .map((figure) => {
      const small = figures.find(({ what, size }) => what === figure.what && size === smallest)!; // of every size
      return {
        ...figure,
        what: `${figure.what}: peak / at ${formatSize(smallest)}`,
        unit: 'x',
        values: [median(figure.values) / median(small.values)],
        goal: { atMost: GROWTH_MAX },
      };
    });
}
