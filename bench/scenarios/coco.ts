import { CocoFile } from '../coco-file';
import type { Figure, Goal, Unit } from '../figure';
import type { Scenario, Stage } from '../scenario';
import type { ServiceUnderTest } from '../service-under-test';

const MB = 2 ** 20;
/** A file of more than 500 MB: an even larger one would only take longer. */
const IMAGES_MAX = 520_000;
/** From here on once. */
const LARGE = 200_000;
/** Below this, a file is over before a fresh process has compiled its code. */
const SPEED_GOAL_FROM = 100_000;
const SPEED_GOAL: Goal = { atLeast: 15 };
const MEMORY_GOAL: Goal = { atMost: 200 };

/** One transfer of a file in one direction. */
interface Transfer {
  readonly mbPerS: number;
  readonly peakMb: number;
}

/** Files over HTTP from the disk of the client, and back; each in a service that is started for it. */
export const coco: Scenario = {
  name: 'coco',
  about: 'COCO files imported and exported over HTTP: MB of JSON a second, and the memory of the service',
  runs: 'each',
  async measure(stage) {
    const images = Math.min(stage.size, IMAGES_MAX);
    const file = await CocoFile.write(images);
    try {
      const imports: Transfer[] = [];
      const exports: Transfer[] = [];
      const runs = images >= LARGE ? 1 : stage.runs;
      for (let run = 1; run <= runs; run++) {
        stage.say(`${(file.bytes / MB).toFixed(0)} MB, ${run} of ${runs}`);
        const taskId = stage.installation.newId();
        imports.push(await importFile(stage, file, taskId));
        exports.push(await exportTask(stage, taskId));
        await stage.installation.remove(taskId);
        await stage.installation.settle();
      }
      return [
        { ...figures(stage, images, 'file', 'MB', [file.bytes / MB]) },
        ...transferFigures(stage, images, 'import', imports),
        ...transferFigures(stage, images, 'export', exports),
      ];
    } finally {
      await file.remove();
    }
  },
};

function importFile({ installation }: Stage, file: CocoFile, taskId: string): Promise<Transfer> {
  return installation.withService((service) =>
    transfer(service, async () => {
      await service.import(taskId, file.read());
      return file.bytes;
    }),
  );
}

function exportTask({ installation }: Stage, taskId: string): Promise<Transfer> {
  const path = `/training/tasks/${taskId}/coco`;
  return installation.withService((service) =>
    transfer(service, async () => {
      const { bytes, tail } = await service.send({ method: 'GET', path });
      if (!tail.trimEnd().endsWith('}')) throw new Error('the export is cut');
      return bytes;
    }),
  );
}

/** @param work says how many bytes of JSON have gone over HTTP */
async function transfer(service: ServiceUnderTest, work: () => Promise<number>): Promise<Transfer> {
  await service.resetPeak();
  const startedAt = performance.now();
  const bytes = await work();
  const seconds = (performance.now() - startedAt) / 1_000;
  return { mbPerS: bytes / MB / seconds, peakMb: await service.peakMb() };
}

function transferFigures(
  stage: Stage,
  images: number,
  what: string,
  transfers: readonly Transfer[],
): Figure[] {
  const [speeds, peaks] = [transfers.map(({ mbPerS }) => mbPerS), transfers.map(({ peakMb }) => peakMb)];
  return [
    figures(stage, images, what, 'MB/s', speeds, images >= SPEED_GOAL_FROM ? SPEED_GOAL : undefined),
    figures(stage, images, `${what}: peak memory`, 'MB', peaks, MEMORY_GOAL),
  ];
}

function figures(
  { mode }: Stage,
  size: number,
  what: string,
  unit: Unit,
  values: readonly number[],
  goal?: Goal,
): Figure {
  return { scenario: coco.name, what, mode, size, unit, values, ...(goal && { goal }) };
}
