import 'reflect-metadata';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectDatabase } from '../../src/database/connect';
import { EmbeddedPostgres } from '../../src/database/embedded/embedded-postgres';
import { startMongoDb } from './mongo-database';
import type { Mongod } from './mongod';
import { createDatabase, TEMPLATE, urlOf } from './test-database';

/** Handed to the teardown, which runs in the same process. */
export interface TestServers {
  readonly postgres: EmbeddedPostgres;
  readonly folder: string;
  readonly mongod: Mongod | undefined;
}

/** One PostgreSQL and one MongoDB for all tests. */
export default async function globalSetup(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'training-tasks-test-'));
  const [postgres, mongod] = await Promise.all([startPostgres(folder), startMongoDb()]);
  Object.assign(globalThis, { testServers: { postgres, folder, mongod } satisfies TestServers });
}

/** Without fsync, and in it a migrated database that every test file gets a copy of. */
async function startPostgres(folder: string): Promise<EmbeddedPostgres> {
  const postgres = await EmbeddedPostgres.start({ dataDir: folder, durable: false });
  process.env['TEST_SERVER_URL'] = postgres.url;
  await createDatabase(TEMPLATE);
  const dataSource = await connectDatabase(urlOf(TEMPLATE), true);
  await dataSource.destroy();
  return postgres;
}
