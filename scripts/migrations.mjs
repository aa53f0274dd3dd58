// Shows on a throwaway server that the migrations make what the entities describe, that each can be undone, and that
// docs/schema.sql says what they make; without --check that file is written.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from './build.mjs';
import { keepGenerated } from './generated-file.mjs';
import { describeSchema } from './schema.mjs';

await build();
const { EmbeddedPostgres } = await import('../dist/src/database/embedded/embedded-postgres.js');
const { dataSourceOptions } = await import('../dist/ormconfig.js');
const { DataSource } = await import('typeorm');

const HEADER = '-- What the migrations make, for review; written by npm run schema.\n';

const dataDir = mkdtempSync(path.join(tmpdir(), 'migrations-'));
const server = await EmbeddedPostgres.start({ dataDir, durable: false });
const dataSource = new DataSource(dataSourceOptions(server.url));
try {
  await dataSource.initialize();
  await checkMigrations();
} finally {
  await dataSource.destroy();
  await server.stop();
  rmSync(dataDir, { recursive: true });
}

async function checkMigrations() {
  await dataSource.runMigrations();
  const schema = await describeSchema(dataSource);
  reportDrift((await dataSource.driver.createSchemaBuilder().log()).upQueries);

  for (let left = dataSource.migrations.length; left > 0; left--) await dataSource.undoLastMigration();
  const left = await describeSchema(dataSource);
  if (left !== '') fault(`Undoing all migrations leaves this behind; complete their down():\n${left}`);
  await dataSource.runMigrations();
  if ((await describeSchema(dataSource)) !== schema)
    fault('Migrations that were undone make another schema.');

  keepGenerated('docs/schema.sql', `${HEADER}\n${schema}`, 'npm run schema');
}

function reportDrift(queries) {
  if (queries.length === 0) return;
  const statements = queries.map(({ query }) => `  ${query};`).join('\n');
  fault(`The entities describe another schema than the migrations make; add a migration with these statements to
src/database/migrations and name it in index.ts there (never edit one that is merged):\n${statements}`);
}

function fault(text) {
  console.error(text);
  process.exitCode = 1;
}
