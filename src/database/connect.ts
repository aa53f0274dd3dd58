import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../../ormconfig';
import { StartError } from '../config/start-error';
import { isDatabaseAway, sqlStateOf } from './database-faults';

/** Reserved for the migrations: no task has such an id. */
const MIGRATION_LOCK = 1;
const SERVER_VERSION_MIN = 15;

/**
 * Connects to a server and brings its tables up to date, or checks that they are.
 * @throws StartError in words for the operator
 */
export async function connectDatabase(url: string, migrationsRun: boolean): Promise<DataSource> {
  const dataSource = new DataSource(dataSourceOptions(url));
  try {
    await dataSource.initialize();
    await checkVersion(dataSource);
    if (migrationsRun) await runMigrations(dataSource);
    else await refuseOutdated(dataSource);
    return dataSource;
  } catch (fault) {
    if (dataSource.isInitialized) await dataSource.destroy();
    throw explain(fault, url);
  }
}

/** Safe with several nodes: one runs them, the others wait and then find nothing to do. */
async function runMigrations(dataSource: DataSource): Promise<void> {
  const guard = dataSource.createQueryRunner();
  try {
    await guard.query(`SELECT pg_advisory_lock(${String(MIGRATION_LOCK)})`);
    await dataSource.runMigrations({ transaction: 'all' });
  } finally {
    await guard.query(`SELECT pg_advisory_unlock(${String(MIGRATION_LOCK)})`);
    await guard.release();
  }
}

async function checkVersion(dataSource: DataSource): Promise<void> {
  const [row] = await dataSource.query<{ version: number }[]>(
    `SELECT current_setting('server_version_num')::int / 10000 AS version`,
  );
  if (row && row.version < SERVER_VERSION_MIN) {
    throw new StartError(
      `The PostgreSQL server is of version ${String(row.version)}; ${String(SERVER_VERSION_MIN)} or newer is needed.`,
    );
  }
}

async function refuseOutdated(dataSource: DataSource): Promise<void> {
  const pending = await dataSource.showMigrations();
  if (!pending) return;
  throw new StartError(
    'The tables are not up to date: run `npm run cli -- migrate`, or set MIGRATIONS_RUN=true.',
  );
}

function explain(fault: unknown, url: string): unknown {
  if (fault instanceof StartError) return fault;
  const reason =
    fault instanceof Error ? fault.message || String((fault as NodeJS.ErrnoException).code) : String(fault);
  if (isDatabaseAway(fault) || isHostUnknown(fault)) {
    return new StartError(
      `The PostgreSQL server at ${withoutPassword(url)} cannot be reached (${reason}): check DATABASE_URL.`,
      {
        cause: fault,
      },
    );
  }
  // 28: the user or the password is not accepted; 3D000: there is no such database.
  if (/^28|^3D000$/.test(sqlStateOf(fault) ?? '')) {
    return new StartError(
      `The PostgreSQL server at ${withoutPassword(url)} refuses the connection (${reason}): check DATABASE_URL.`,
      {
        cause: fault,
      },
    );
  }
  return fault;
}

function isHostUnknown(fault: unknown): boolean {
  return ['ENOTFOUND', 'EAI_AGAIN'].includes(sqlStateOf(fault) ?? '');
}

function withoutPassword(url: string): string {
  const parsed = new URL(url);
  parsed.password = '';
  return parsed.host === '' ? parsed.href : `${parsed.protocol}//${parsed.host}${parsed.pathname}`;
}
