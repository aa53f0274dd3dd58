import { BareDriver } from '../bare-duplication';
import { closedLoop, type Load } from '../closed-loop';
import { median, type Figure, type Goal, type Unit } from '../figure';
import { percentile } from '../percentile';
import type { DuplicationScript } from '../recording/duplication-script';
import { recordDuplication } from '../recording/record-duplication';
import type { Scenario, Stage } from '../scenario';
import type { ServiceUnderTest } from '../service-under-test';

/** With 61 annotations, in the mean of those that the generator makes. */
const IMAGES = 20;
const WARM_UP = 50;
/** Of each run. */
const ONE_AFTER_THE_OTHER = 100;
const CLIENTS = [8, 32] as const;
const LOAD = { ms: 5_000, requestsMax: 2_000 } as const;

/**
 * What the service adds to the statements it sends: they are recorded, and sent again by the bare drivers with ids of their
 * own, in turns with the service, so that both find the same tables. The bare side has no HTTP, no second process and
 * makes nothing of the answers.
 */
export const smallTasks: Scenario = {
  name: 'small-tasks',
  about: 'tasks of 20 images: the service beside the same statements sent by the bare drivers',
  runs: 'once',
  sizeMax: IMAGES,
  async measure(stage) {
    const { installation, say } = stage;
    const { id: source } = await installation.source(IMAGES);
    say('recording what a duplication asks of the databases');
    const script = await recordDuplication(installation, source);
    return installation.withService((service) =>
      installation.withService(async (another) => {
        const sides = { service, another, source, script };
        const figures = await oneAfterTheOther(stage, sides);
        await warmUp(stage, sides);
        for (const clients of CLIENTS) figures.push(...(await atOnce(stage, sides, clients)));
        return figures;
      }),
    );
  },
};

interface Sides {
  readonly service: ServiceUnderTest;
  /** On the same databases. */
  readonly another: ServiceUnderTest;
  readonly source: string;
  readonly script: DuplicationScript;
}

async function oneAfterTheOther(stage: Stage, { service, source, script }: Sides): Promise<Figure[]> {
  const { installation, runs, say } = stage;
  const targets = new Targets(stage);
  const bare = await BareDriver.open(installation, script, 1);
  const byService = (): Promise<unknown> => service.duplicate(source, targets.next());
  const byDriver = (): Promise<unknown> => bare.duplicate(targets.next());
  const medians = { service: [] as number[], driver: [] as number[] };
  const all: number[] = [];
  await inTurns(WARM_UP, byService, byDriver);
  for (let run = 1; run <= runs; run++) {
    say(`one client, run ${run} of ${runs}`);
    const [ofService, ofDriver] = await inTurns(ONE_AFTER_THE_OTHER, byService, byDriver);
    medians.service.push(median(ofService));
    medians.driver.push(median(ofDriver));
    all.push(...ofService);
  }
  await assertCopied(service, targets.last);
  await bare.close();
  await targets.remove();
  const figure = figuresOf(stage);
  return [
    figure('one client: service', 'ms', medians.service),
    figure('one client: bare driver', 'ms', medians.driver),
    figure('one client: service / bare driver', 'x', ratios(medians.service, medians.driver), { atMost: 2 }),
    figure('one client: service, p99', 'ms', [percentile(all, 0.99)]),
  ];
}

/** What the drivers have done is a copy like any other. @throws */
async function assertCopied(service: ServiceUnderTest, target: string): Promise<void> {
  const path = `/training/tasks/${target}/duplication/verification`;
  const { head } = await service.send({ method: 'GET', path });
  if (!head.includes('"verified":true')) throw new Error(`the bare drivers have made no copy: ${head}`);
}

/** @returns milliseconds of the one and of the other */
async function inTurns(
  times: number,
  one: () => Promise<unknown>,
  other: () => Promise<unknown>,
): Promise<[number[], number[]]> {
  const took: [number[], number[]] = [[], []];
  for (let left = times; left > 0; left--) {
    took[0].push(await milliseconds(one));
    took[1].push(await milliseconds(other));
  }
  return took;
}

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

async function warmUp(stage: Stage, { another, source }: Sides): Promise<void> {
  const targets = new Targets(stage);
  for (let left = WARM_UP; left > 0; left--) await another.duplicate(source, targets.next());
  await targets.remove();
}

async function atOnce(
  stage: Stage,
  { service, another, source, script }: Sides,
  clients: number,
): Promise<Figure[]> {
  const { installation, runs, say } = stage;
  const targets = new Targets(stage);
  const bare = await BareDriver.open(installation, script, clients);
  const nodes = [service, another] as const;
  const loads = { service: [] as Load[], driver: [] as Load[], nodes: [] as Load[] };
  for (let run = 1; run <= runs; run++) {
    say(`${clients} clients, run ${run} of ${runs}`);
    const limits = { ...LOAD, clients };
    loads.service.push(await closedLoop(limits, () => service.duplicate(source, targets.next())));
    loads.driver.push(await closedLoop(limits, (client) => bare.duplicate(targets.next(), client)));
    loads.nodes.push(
      await closedLoop(limits, (client) => nodes[client % 2 ? 1 : 0].duplicate(source, targets.next())),
    );
  }
  await bare.close();
  await targets.remove();
  const [broken] = loads.driver.flatMap(({ failures }) => failures);
  if (broken) throw new Error('the bare driver has failed', { cause: broken });
  const failures = [...loads.service, ...loads.nodes].flatMap((load) => load.failures);
  for (const { message } of failures.slice(0, 3)) say(message);
  return loadFigures(stage, clients, loads);
}

function loadFigures(
  stage: Stage,
  clients: number,
  { service, driver, nodes }: Readonly<Record<'service' | 'driver' | 'nodes', readonly Load[]>>,
): Figure[] {
  const named = figuresOf(stage);
  const figure = (what: string, unit: Unit, values: readonly number[], goal?: Goal): Figure =>
    named(`${clients} clients: ${what}`, unit, values, goal);
  const speeds = (loads: readonly Load[]): number[] => loads.map(({ perSecond }) => perSecond);
  const late = (share: number): number[] => service.map(({ latenciesMs }) => percentile(latenciesMs, share));
  const failures = service.map((load) => load.failures.length);
  return [
    figure('service', '/s', speeds(service)),
    figure('bare driver', '/s', speeds(driver)),
    figure('service / bare driver', 'x', ratios(speeds(service), speeds(driver)), { atLeast: 0.6 }),
    figure('service, p50', 'ms', late(0.5)),
    figure('service, p99', 'ms', late(0.99)),
    figure('service, failures', 'count', failures, { atMost: 0 }),
    figure('two nodes', '/s', speeds(nodes)),
    figure('two nodes / one', 'x', ratios(speeds(nodes), speeds(service))),
    figure(
      'two nodes, p99',
      'ms',
      nodes.map(({ latenciesMs }) => percentile(latenciesMs, 0.99)),
    ),
    figure(
      'two nodes, failures',
      'count',
      nodes.map((load) => load.failures.length),
      { atMost: 0 },
    ),
  ];
}

function figuresOf({ mode }: Stage) {
  return (what: string, unit: Unit, values: readonly number[], goal?: Goal): Figure => ({
    scenario: smallTasks.name,
    what,
    mode,
    size: IMAGES,
    unit,
    values,
    ...(goal && { goal }),
  });
}

function ratios(above: readonly number[], below: readonly number[]): number[] {
  return above.map((value, at) => value / below[at]!); // there is one of each run
}

/** Fresh ones, and what becomes of them. */
class Targets {
  private readonly ids: string[] = [];

  constructor(private readonly stage: Stage) {}

  get last(): string {
    return this.ids.at(-1) ?? '';
  }

  next(): string {
    const id = this.stage.installation.newId();
    this.ids.push(id);
    return id;
  }

  async remove(): Promise<void> {
    await this.stage.installation.remove(...this.ids);
    await this.stage.installation.settle();
  }
}
