import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { StartError } from '../../src/config/start-error';
import { connectDatabase } from '../../src/database/connect';
import { createDatabase, dropDatabase, TEMPLATE } from '../support/test-database';
import { TransactionPool, type Order } from '../support/transaction-pool';

let database: { readonly name: string; readonly url: string };

beforeAll(async () => {
  const name = `test_${randomBytes(6).toString('hex')}`;
  database = { name, url: await createDatabase(name, TEMPLATE) };
});
afterAll(() => dropDatabase(database.name));

async function throughPool<T>(size: number, order: Order, work: (url: string) => Promise<T>): Promise<T> {
  const pool = await TransactionPool.open(database.url, size, order);
  try {
    return await work(pool.urlOf(database.url));
  } finally {
    await pool.close();
  }
}

describe('a start through a pooler in transaction mode', () => {
  it.each(
    [1, 2, 3, 4, 5, 6, 7, 12].flatMap((size) => [[size, 'last-used'] as const, [size, 'in-turn'] as const]),
  )('with %i sessions, %s: is refused', async (size, order) => {
    const fault: unknown = await throughPool(size, order, (url) =>
      connectDatabase(url, true).then(
        (dataSource) => dataSource.destroy(),
        (thrown: unknown) => thrown,
      ),
    );
    expect(fault).toBeInstanceOf(StartError);
    expect((fault as Error).message).toMatch(
      /^DATABASE_URL leads to a connection pooler .* pool_mode=session\.$/,
    );
  });

  it('is no invention: a lock that one client takes is another one’s there', async () => {
    await throughPool(1, 'last-used', async (url) => {
      const [one, other] = [new Client(url), new Client(url)];
      await Promise.all([one.connect(), other.connect()]);
      const lock = 'SELECT pg_try_advisory_lock(7) AS is_mine';
      expect((await one.query(lock)).rows).toEqual([{ is_mine: true }]);
      expect((await other.query(lock)).rows).toEqual([{ is_mine: true }]);
      await Promise.all([one.end(), other.end()]);
    });
  });
});

it('a start without a pooler takes no notice', async () => {
  const dataSource = await connectDatabase(database.url, true);
  expect(dataSource.isInitialized).toBe(true);
  await dataSource.destroy();
});
