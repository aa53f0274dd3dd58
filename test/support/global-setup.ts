import 'reflect-metadata';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectDatabase } from '../../src/database/connect';
import { EmbeddedPostgres } from '../../src/database/embedded/embedded-postgres';
import { createDatabase, TEMPLATE, urlOf } from './test-database';

/** Handed to the teardown, which runs in the same process. */
export interface TestServer {
  readonly postgres: EmbeddedPostgres;
  readonly folder: string;
}

/** One PostgreSQL for all tests, without fsync, and in it a migrated database that every test file gets a copy of. */
export default async function globalSetup(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'training-tasks-test-'));
  const postgres = await EmbeddedPostgres.start({ dataDir: folder, durable: false });
  process.env['TEST_SERVER_URL'] = postgres.url;
  await createDatabase(TEMPLATE);
  const dataSource = await connectDatabase(urlOf(TEMPLATE), true);
  await dataSource.destroy();
  Object.assign(globalThis, { testServer: { postgres, folder } satisfies TestServer });
}
