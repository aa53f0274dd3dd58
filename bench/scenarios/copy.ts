import { ask } from '../ask';
import { timed } from '../clock';
import type { Exchange } from '../exchange';
import { median, type Figure } from '../figure';
import { DocumentFloor, RowFloor } from '../floor';
import type { Installation, Source } from '../installation';
import { onPostgres } from '../servers';
import type { ServiceUnderTest } from '../service-under-test';
import type { Scenario, Stage } from '../scenario';
import { formatSize } from '../size';

const GOAL = 1.25;
const FIRST_BYTE_MS_MAX = 50;
const GROWTH_MAX = 1.2;
/** Below this, what does not depend on the size weighs too much. */
const GOALS_FROM = 100_000;

/** In seconds. Every copy stands between two floors: what a machine does meanwhile, and who comes first, is shared by both. */
interface Times {
  /** One more than copies. */
  readonly rows: number[];
  /** The same. */
  readonly documents: number[];
  /** One of each copy, as the others. */
  readonly indexedDocuments: number[];
  readonly firstByte: number[];
  readonly lastByte: number[];
  readonly afterCommit: number[];
  /** Of as many images in small copies; only where the task is a large one. */
  readonly series: number[];
}

/** The copy itself, against the least that the databases can do; both sides take turns. */
export const copy: Scenario = {
  name: 'copy',
  about: 'a duplication over HTTP against one plain INSERT … SELECT per table, and $match → $out',
  runs: 'each',
  quick: [10_000],
  measure: async (stage) => {
    const { installation } = stage;
    stage.say('import');
    const source = await installation.source(stage.size);
    return installation.withService((service) =>
      onPostgres(installation.databaseUrl, async (client) => {
        const sides = new Sides(installation, service, await RowFloor.on(client, stage.mode));
        await sides.warmUp();
        return toFigures(stage, await sides.measure(source, stage));
      }),
    );
  },
  derive: growth,
};

class Sides {
  constructor(
    private readonly installation: Installation,
    private readonly service: ServiceUnderTest,
    private readonly rows: RowFloor,
  ) {}

  async warmUp(): Promise<void> {
    await this.installation.warmUp((from, to) => this.rows.copy(from, to));
    await this.installation.warmUp((from, to) => this.service.duplicate(from, to));
  }

  async measure(source: Source, { runs, say }: Stage): Promise<Times> {
    const times: Times = {
      rows: [],
      documents: [],
      indexedDocuments: [],
      firstByte: [],
      lastByte: [],
      afterCommit: [],
      series: [],
    };
    say('floor');
    await this.floors(source, times);
    for (let run = 1; run <= runs; run++) {
      say(`product, ${run} of ${runs}`);
      const target = this.installation.newId();
      await this.product(source, target, times);
      if (run === runs) {
        say('verification');
        await this.verify(target);
      }
      await this.installation.remove(target);
      say(`floor, ${run} of ${runs}`);
      await this.floors(source, times);
    }
    if (source.images > GOALS_FROM) {
      say(`copies of ${formatSize(GOALS_FROM)} in a row`);
      for (let run = 1; run <= runs; run++) times.series.push(await this.series(source.images));
    }
    if (this.installation.mode === 'mongo') {
      say('floor with an index');
      for (let run = 1; run <= runs; run++)
        times.indexedDocuments.push(await this.documentFloor(source, true));
    }
    return times;
  }

  private async floors(source: Source, times: Times): Promise<void> {
    times.rows.push(await this.rowFloor(source));
    if (this.installation.mode === 'mongo') times.documents.push(await this.documentFloor(source, false));
  }

  private async rowFloor(source: Source): Promise<number> {
    const target = this.installation.newId();
    await this.installation.settle();
    const seconds = await timed(() => this.rows.copy(source.id, target));
    await this.installation.assertRows(source, target);
    await this.installation.remove(target);
    return seconds;
  }

  private async documentFloor(source: Source, indexed: boolean): Promise<number> {
    return this.installation.onMongo(async (db) => {
      const floor = new DocumentFloor(db);
      await floor.prepare(indexed);
      await this.installation.settle();
      const seconds = await timed(() => floor.copy(source.id));
      await floor.assertCopied(source.id);
      await floor.clear();
      return seconds;
    });
  }

  private async product(source: Source, target: string, times: Times): Promise<void> {
    await this.installation.settle();
    const exchange = await this.service.duplicate(source.id, target);
    times.firstByte.push((exchange.firstByteAt - exchange.sentAt) / 1_000);
    times.lastByte.push((exchange.lastByteAt - exchange.sentAt) / 1_000);
    times.afterCommit.push(exchange.firstByteClockMs - (await this.installation.committedAt(target)));
    assertAnswered(exchange);
    await this.installation.assertCopied(source, target);
  }

  /**
   * Small copies, each asked for as soon as the first byte of the one before is there, so that nothing which a copy leaves
   * for later is left out. @returns what so many images take in them
   */
  private async series(images: number): Promise<number> {
    const source = await this.installation.source(GOALS_FROM);
    const targets = Array.from({ length: Math.ceil(images / GOALS_FROM) }, () => this.installation.newId());
    await this.installation.settle();
    const seconds = await timed(async () => {
      for (const target of targets) (await ask(this.service, source.id, target)).destroy();
    });
    for (const target of targets) await this.installation.assertCopied(source, target);
    await this.installation.remove(...targets);
    return (seconds * images) / (targets.length * GOALS_FROM);
  }

  /** By the product itself: the copy is compared with its source, every row and document. */
  private async verify(target: string): Promise<void> {
    const path = `/training/tasks/${target}/duplication/verification`;
    const { head } = await this.service.send({ method: 'GET', path });
    if (!head.includes('"verified":true')) throw new Error(`the copy is not its source: ${head}`);
  }
}

function assertAnswered({ head, tail }: Exchange): void {
  if (!head.startsWith('{"code":0,') || !tail.endsWith(']}')) throw new Error(`not answered: ${head}`);
}

function toFigures({ mode, size }: Stage, times: Times): Figure[] {
  const base = { scenario: 'copy', mode, size } as const;
  const floors = times.rows.map((rows, at) => rows + (times.documents[at] ?? 0));
  const figures: Figure[] = [
    { ...base, what: 'floor: rows', unit: 's', values: times.rows },
    { ...base, what: 'product: first byte', unit: 's', values: times.firstByte },
    { ...base, what: 'product: last byte', unit: 's', values: times.lastByte },
    {
      ...base,
      what: 'product / floor',
      unit: 'x',
      values: times.firstByte.map((seconds, run) => (2 * seconds) / (floors[run]! + floors[run + 1]!)), // those around it
      ...(size >= GOALS_FROM && { goal: { atMost: GOAL } }),
    },
    {
      ...base,
      what: 'first byte after the commit',
      unit: 'ms',
      values: times.afterCommit,
      goal: { atMost: FIRST_BYTE_MS_MAX },
    },
  ];
  if (times.series.length > 0)
    figures.push(
      { ...base, what: `product: in copies of ${formatSize(GOALS_FROM)}`, unit: 's', values: times.series },
      {
        ...base,
        what: `cost of an image / in copies of ${formatSize(GOALS_FROM)}`,
        unit: 'x',
        values: times.firstByte.map((seconds, run) => seconds / times.series[run]!), // as many runs of both
        goal: { atMost: GROWTH_MAX },
      },
    );
  if (mode === 'mongo')
    figures.splice(
      1,
      0,
      { ...base, what: 'floor: documents', unit: 's', values: times.documents },
      { ...base, what: 'floor: documents, indexed', unit: 's', values: times.indexedDocuments },
      { ...base, what: 'floor: rows + documents', unit: 's', values: floors },
    );
  return figures;
}

/** What an image of the largest copy costs, against one of the smallest that counts, alone after a rest; and of the floor's. */
function growth(figures: readonly Figure[]): Figure[] {
  return [
    ...growthOf(figures, 'product: first byte').map((figure) => ({
      ...figure,
      what: `cost of an image / at ${formatSize(GOALS_FROM)}`,
      goal: { atMost: GROWTH_MAX },
    })),
    ...growthOf(
      figures,
      figures.some(({ mode }) => mode === 'mongo') ? 'floor: rows + documents' : 'floor: rows',
    ).map((figure) => ({ ...figure, what: 'the same of the floor' })),
  ];
}

function growthOf(figures: readonly Figure[], what: string): Omit<Figure, 'goal'>[] {
  const sized = figures.filter((figure) => figure.what === what);
  const smallest = sized.find(({ size }) => size === GOALS_FROM);
  const largest = sized.reduce<Figure | undefined>(
    (large, figure) => (figure.size > (large?.size ?? GOALS_FROM) ? figure : large),
    undefined,
  );
  if (!smallest || !largest) return [];
  const ratio = median(largest.values) / largest.size / (median(smallest.values) / smallest.size);
  const { scenario, mode, size } = largest;
  return [{ scenario, what, mode, size, unit: 'x', values: [ratio] }];
}
