import { ask } from '../ask';
import { timed } from '../clock';
import type { Exchange } from '../exchange';
import type { Figure } from '../figure';
import { DocumentFloor, RowFloor } from '../floor';
import type { Installation, Source } from '../installation';
import { onPostgres } from '../servers';
import type { ServiceUnderTest } from '../service-under-test';
import type { Scenario, Stage } from '../scenario';
import { formatSize } from '../size';

const GOAL = 1.25;
const FIRST_BYTE_MS_MAX = 50;
const GROWTH_MAX = 1.2;
/** Before the large copies, and again behind them. */
const SMALL_RUNS = 2;
/** Below this, what does not depend on the size weighs too much. */
const GOALS_FROM = 100_000;

/** In seconds. */
interface Times {
  readonly firstByte: number[];
  readonly lastByte: number[];
  readonly afterCommit: number[];
  /** Of the floor. */
  readonly rows: number[];
  /** Of the floor, with MongoDB. */
  readonly documents: number[];
}

interface Measured {
  /** Every copy stands between two floors: what a machine does meanwhile, and who comes first, is shared by both. */
  readonly times: Times;
  readonly indexedDocuments: number[];
  /** Of GOALS_FROM images, alone after a rest, before all others and behind them. Only where the task is larger. */
  readonly small: Times;
  /** What as many images take in such copies without a rest between them. The same. */
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

  async measure(source: Source, { runs, say }: Stage): Promise<Measured> {
    const measured: Measured = { times: noTimes(), indexedDocuments: [], small: noTimes(), series: [] };
    await this.smallCopies(source.images, measured, say);
    say('floor');
    await this.floors(source, measured.times);
    for (let run = 1; run <= runs; run++) {
      say(`product, ${run} of ${runs}`);
      await this.product(source, measured.times, run === runs);
      say(`floor, ${run} of ${runs}`);
      await this.floors(source, measured.times);
    }
    await this.smallCopies(source.images, measured, say);
    if (this.installation.mode === 'mongo') {
      say('floor with an index');
      for (let run = 1; run <= runs; run++)
        measured.indexedDocuments.push(await this.documentFloor(source, true));
    }
    return measured;
  }

  /** What the growth of a large copy is seen by. */
  private async smallCopies(images: number, { small, series }: Measured, say: Stage['say']): Promise<void> {
    if (images <= GOALS_FROM) return;
    say(`copies of ${formatSize(GOALS_FROM)}`);
    const source = await this.installation.source(GOALS_FROM);
    await this.floors(source, small);
    for (let run = 1; run <= SMALL_RUNS; run++) await this.product(source, small);
    series.push(await this.series(source, images));
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

  private async product(source: Source, times: Times, isVerified = false): Promise<void> {
    const target = this.installation.newId();
    await this.installation.settle();
    const exchange = await this.service.duplicate(source.id, target);
    times.firstByte.push((exchange.firstByteAt - exchange.sentAt) / 1_000);
    times.lastByte.push((exchange.lastByteAt - exchange.sentAt) / 1_000);
    times.afterCommit.push(exchange.firstByteClockMs - (await this.installation.committedAt(target)));
    assertAnswered(exchange);
    await this.installation.assertCopied(source, target);
    if (isVerified) await this.verify(target);
    await this.installation.remove(target);
  }

  /**
   * Copies, each asked for as soon as the first byte of the one before is there, so that nothing which a copy leaves for
   * later is left out. @returns what so many images take in them
   */
  private async series(source: Source, images: number): Promise<number> {
    const targets = Array.from({ length: Math.ceil(images / source.images) }, () =>
      this.installation.newId(),
    );
    await this.installation.settle();
    const seconds = await timed(async () => {
      for (const target of targets) (await ask(this.service, source.id, target)).destroy();
    });
    for (const target of targets) await this.installation.assertCopied(source, target);
    await this.installation.remove(...targets);
    return (seconds * images) / (targets.length * source.images);
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

function noTimes(): Times {
  return { firstByte: [], lastByte: [], afterCommit: [], rows: [], documents: [] };
}

function toFigures({ mode, size }: Stage, measured: Measured): Figure[] {
  const base = { scenario: 'copy', mode, size } as const;
  const { times, indexedDocuments } = measured;
  const floors = floorsOf(times);
  const figures: Figure[] = [
    { ...base, what: 'floor: rows', unit: 's', values: times.rows },
    { ...base, what: 'product: first byte', unit: 's', values: times.firstByte },
    { ...base, what: 'product: last byte', unit: 's', values: times.lastByte },
    {
      ...base,
      what: 'product / floor',
      unit: 'x',
      values: times.firstByte.map((seconds, run) => seconds / mean(floors.slice(run, run + 2))), // those around it
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
  if (size > GOALS_FROM) figures.push(...growth(size, measured).map((figure) => ({ ...base, ...figure })));
  if (mode === 'mongo')
    figures.splice(
      1,
      0,
      { ...base, what: 'floor: documents', unit: 's', values: times.documents },
      { ...base, what: 'floor: documents, indexed', unit: 's', values: indexedDocuments },
      { ...base, what: 'floor: rows + documents', unit: 's', values: floors },
    );
  return figures;
}

/**
 * What an image of a large copy costs, against one of small copies in a row, which pay for all that they cause. Beside it, for
 * who waits: against a small copy alone after a rest, which leaves some of its work for later, and the floor likewise.
 */
function growth(
  size: number,
  { times, small, series }: Measured,
): Omit<Figure, 'scenario' | 'mode' | 'size'>[] {
  const many = formatSize(GOALS_FROM);
  const asMany = (seconds: number): number => (seconds * size) / GOALS_FROM;
  return [
    { what: `product: ${many} alone`, unit: 's', values: small.firstByte },
    { what: `product: in copies of ${many}`, unit: 's', values: series },
    {
      what: `cost of an image / in copies of ${many}`,
      unit: 'x',
      values: times.firstByte.map((seconds) => seconds / mean(series)),
      goal: { atMost: GROWTH_MAX },
    },
    {
      what: `time of an image / of ${many} alone`,
      unit: 'x',
      values: times.firstByte.map((seconds) => seconds / asMany(mean(small.firstByte))),
    },
    {
      what: 'the same of the floor',
      unit: 'x',
      values: floorsOf(times).map((seconds) => seconds / asMany(mean(floorsOf(small)))),
    },
  ];
}

function floorsOf({ rows, documents }: Times): number[] {
  return rows.map((seconds, at) => seconds + (documents[at] ?? 0));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
