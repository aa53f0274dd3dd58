import { median, type Figure } from '../figure';
import { CAN_MEASURE_MEMORY } from '../memory';
import type { Installation } from '../installation';
import type { Scenario } from '../scenario';
import { formatSize } from '../size';

const PEAK_MB_MAX = 200;
const GROWTH_MAX = 1.2;

/** The peak of the service's resident set; each of a process that did nothing else. */
export const memory: Scenario = {
  name: 'memory',
  about: 'the peak of the service, of every size and for everything that goes through it as a stream',
  runs: 'each',
  quick: [10_000, 100_000],
  measure: async ({ installation, mode, size, say }) => {
    if (!CAN_MEASURE_MEMORY) {
      console.error('NOT MEASURED: memory. Only Linux tells the peak of another process.');
      return [];
    }
    say('import');
    const source = await installation.source(size);
    say('copy');
    const copy = await installation.copy(size);
    say('export, maps');
    const peaks = {
      idle: await installation.withService((service) => service.peakMb()),
      'copy and answer': copy.peakMb,
      import: source.import.peakMb,
      export: await peakOf(installation, `/training/tasks/${source.id}/coco`),
      maps: await peakOf(installation, `/training/tasks/${copy.id}/duplication/maps`),
    };
    return Object.entries(peaks).map(([what, peakMb]) => ({
      scenario: 'memory',
      what,
      mode,
      size,
      unit: 'MB',
      values: [peakMb],
      goal: { atMost: PEAK_MB_MAX },
    }));
  },
  derive: growth,
};

function peakOf(installation: Installation, path: string): Promise<number> {
  return installation.withService(async (service) => {
    await service.resetPeak();
    await service.send({ method: 'GET', path });
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
