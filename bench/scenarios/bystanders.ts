import { setTimeout as sleep } from 'node:timers/promises';
import { Bystander, type Seen } from '../bystander';
import { CocoFile } from '../coco-file';
import { EventLoopProbes } from '../event-loop-delay';
import type { Figure, Goal, Unit } from '../figure';
import { percentile } from '../percentile';
import type { Scenario, Stage } from '../scenario';
import type { ServiceUnderTest } from '../service-under-test';

/** A page of it is full. */
const SMALL = 100;
const QUIET_MS = 5_000;
const PAGE_GOAL: Goal = { atMost: 100 };
const LATE_GOAL: Goal = { atMost: 50 };
const FAILURES_GOAL: Goal = { atMost: 0 };

/** Something large that goes on in the service. */
interface Activity {
  readonly what: string;
  readonly run: () => Promise<unknown>;
}

/** What others notice of one large copy, of its answer when it is asked for again, of an import and of an export. */
export const bystanders: Scenario = {
  name: 'bystanders',
  about:
    "a page of a small task every 50 ms while one large task is copied, answered, exported or imported; the event loop's delay",
  runs: 'once',
  async measure(stage) {
    const { installation, size } = stage;
    const { id: source } = await installation.source(size);
    const { id: small } = await installation.source(SMALL);
    const [target, imported] = [installation.newId(), installation.newId()];
    const file = await CocoFile.write(size);
    const probes = await EventLoopProbes.open();
    try {
      return await installation.withService(
        (service) =>
          observe(stage, service, probes, small, activities(service, source, target, imported, file)),
        probes.environment,
      );
    } finally {
      await probes.close();
      await file.remove();
      await installation.remove(target, imported);
    }
  },
};

function activities(
  service: ServiceUnderTest,
  source: string,
  target: string,
  imported: string,
  file: CocoFile,
): Activity[] {
  return [
    { what: 'nothing', run: () => sleep(QUIET_MS) },
    { what: 'copy', run: () => service.duplicate(source, target) },
    { what: 'answer again', run: () => service.duplicate(source, target) },
    { what: 'export', run: () => service.send({ method: 'GET', path: `/training/tasks/${source}/coco` }) },
    {
      what: 'import',
      run: () => service.import(imported, file.read()),
    },
  ];
}

async function observe(
  stage: Stage,
  service: ServiceUnderTest,
  probes: EventLoopProbes,
  small: string,
  activities: readonly Activity[],
): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const { what, run } of activities) {
    stage.say(what);
    // What the one before has left to be written is not this one's.
    await stage.installation.settle();
    await probes.read();
    const seen = await Bystander.during(service.url, small, run);
    const { subject, idle } = await probes.read();
    for (const { message } of seen.failures.slice(0, 3)) stage.say(message);
    figures.push(...seenFigures(stage, what, seen), ...loopFigures(stage, what, subject.p99, idle.p99));
  }
  return figures;
}

function seenFigures(stage: Stage, during: string, { latenciesMs, readyMs, failures }: Seen): Figure[] {
  const page = (share: number): number[] => [percentile(latenciesMs, share)];
  return [
    figure(stage, during, 'page of images, p50', 'ms', page(0.5)),
    figure(stage, during, 'page of images, p95', 'ms', page(0.95), PAGE_GOAL),
    figure(stage, during, 'page of images, p99', 'ms', page(0.99)),
    figure(stage, during, 'page of images, slowest', 'ms', page(1)),
    figure(stage, during, '/health/ready, slowest', 'ms', [percentile(readyMs, 1)]),
    figure(stage, during, 'failures', 'count', [failures.length], FAILURES_GOAL),
  ];
}

function loopFigures(stage: Stage, during: string, service: number, idle: number): Figure[] {
  return [
    figure(stage, during, "delay of the service's event loop, p99", 'ms', [service]),
    figure(stage, during, 'the same beside an idle process', 'ms', [service - idle], LATE_GOAL),
  ];
}

function figure(
  { mode, size }: Stage,
  during: string,
  what: string,
  unit: Unit,
  values: readonly number[],
  goal?: Goal,
): Figure {
  return {
    scenario: bystanders.name,
    what: `${during}: ${what}`,
    mode,
    size,
    unit,
    values,
    ...(goal && { goal }),
  };
}
