import { setTimeout as sleep } from 'node:timers/promises';
import { OneInFlight } from '../../database/one-in-flight';
import { StagedRows } from './staged-rows';

/** A table that is written when the test says so. */
class SlowTable {
  readonly batches: { firstSeq: number; rows: readonly string[] }[] = [];
  private readonly ends: { resolve: () => void; reject: (fault: Error) => void }[] = [];

  readonly write = (firstSeq: number, rows: readonly string[]): Promise<void> => {
    this.batches.push({ firstSeq, rows });
    return new Promise((resolve, reject) => this.ends.push({ resolve, reject }));
  };

  end(fault?: Error): void {
    const next = this.ends.shift();
    if (fault) next?.reject(fault);
    else next?.resolve();
  }

  get running(): number {
    return this.ends.length;
  }
}

/** Whether a promise has resolved when everything that can go on has gone on. */
async function isDone(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  void promise.then(() => (done = true));
  await new Promise(setImmediate);
  return done;
}

let table: SlowTable;
let statements: OneInFlight;
let rows: StagedRows<string>;

beforeEach(() => {
  table = new SlowTable();
  statements = new OneInFlight();
  rows = new StagedRows(statements, table.write);
});

const LARGE = 2 ** 17;

it('is full by the bytes of its rows, and empty again when they are sent', async () => {
  rows.add('a', LARGE - 1);
  expect(rows.isFull).toBe(false);
  rows.add('b', 1);
  expect(rows.isFull).toBe(true);
  await rows.send();
  expect(rows.isFull).toBe(false);
});

it('sends rows in their order, numbered on from batch to batch', async () => {
  for (const row of ['a', 'b', 'c']) rows.add(row, 1);
  await rows.send();
  table.end();
  for (const row of ['d', 'e']) rows.add(row, 1);
  await rows.send();
  expect(table.batches).toEqual([
    { firstSeq: 0, rows: ['a', 'b', 'c'] },
    { firstSeq: 3, rows: ['d', 'e'] },
  ]);
});

it('sends nothing where there is nothing, and leaves out rows with a fault', async () => {
  rows.add(null, LARGE);
  expect(rows.isFull).toBe(false);
  await rows.send();
  expect(table.batches).toEqual([]);
});

it('goes on while a batch is being written, and waits with the next one', async () => {
  rows.add('a', LARGE);
  await rows.send();
  expect(table.running).toBe(1);
  rows.add('b', LARGE);
  const second = rows.send();
  expect(await isDone(second)).toBe(false);
  expect(table.batches).toHaveLength(1);
  table.end();
  expect(await isDone(second)).toBe(true);
  expect(table.batches).toHaveLength(2);
});

it('waits for the batches of other tables on the same connection', async () => {
  const others = new StagedRows(statements, table.write);
  rows.add('a', 1);
  others.add('b', 1);
  await rows.send();
  const sending = others.send();
  expect(await isDone(sending)).toBe(false);
  expect(table.running).toBe(1);
  table.end();
  await sending;
  expect(await isDone(statements.ended())).toBe(false);
  table.end();
  expect(await isDone(statements.ended())).toBe(true);
});

it('shows the fault of a batch at the next one, and at the end', async () => {
  const fault = new Error('disk full');
  rows.add('a', LARGE);
  await rows.send();
  table.end(fault);
  rows.add('b', LARGE);
  await expect(rows.send()).rejects.toBe(fault);
  expect(table.batches).toHaveLength(1);
  await expect(statements.ended()).rejects.toBe(fault);
});

it('does not let the fault of a batch that nobody waits for any more end the process', async () => {
  rows.add('a', LARGE);
  await rows.send();
  table.end(new Error('disk full'));
  // A rejection that nobody waits for would fail this test, as it would end the process.
  await sleep(50);
  expect(table.running).toBe(0);
});

it('knows how long it has been silent', async () => {
  const before = performance.now();
  await statements.start(() => Promise.resolve());
  expect(statements.silentMs).toBeLessThanOrEqual(performance.now() - before);
});
