import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { randomBytes } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { connectDatabase } from '../../src/database/connect';
import { BATCH_ROWS_LARGE, readInBatches } from '../../src/database/cursor';
import { createDatabase, dropDatabase, TEMPLATE } from '../support/test-database';

const BATCHES = 200;
/** The one in hand, the one ahead, and what a call in progress may still hold. */
const ALIVE_MAX = 4;

let name: string;
let dataSource: DataSource;

beforeAll(async () => {
  name = `test_${randomBytes(6).toString('hex')}`;
  dataSource = await connectDatabase(await createDatabase(name, TEMPLATE), false);
});
afterAll(async () => {
  await dataSource.destroy();
  await dropDatabase(name);
});

it.each([
  ['small', BATCH_ROWS_LARGE + 1],
  ['large', BATCH_ROWS_LARGE],
])('a reader of %s rows lets each batch go while it reads on', async (_, batchRows) => {
  const connection = dataSource.createQueryRunner();
  const read: WeakRef<object>[] = [];
  try {
    const sql = 'SELECT n FROM generate_series(1, $1::int) AS n';
    for await (const batch of readInBatches(connection, sql, [BATCHES * batchRows], batchRows)) {
      read.push(new WeakRef(batch));
      if (read.length === BATCHES) expect(await countAlive(read)).toBeLessThanOrEqual(ALIVE_MAX);
    }
  } finally {
    await connection.release();
  }
  expect(read).toHaveLength(BATCHES);
});

async function countAlive(references: readonly WeakRef<object>[]): Promise<number> {
  // What was created or looked at in this turn is kept until its end.
  await nextTurn();
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return references.filter((reference) => reference.deref() !== undefined).length;
}
