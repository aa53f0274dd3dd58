import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../../ormconfig';
import { StartError } from '../config/start-error';
import { isDatabaseAway, sqlStateOf } from './database-faults';
import { refusePooledSessions } from './session-check';

/** Reserved for the migrations: no task has such an id. */
const MIGRATION_LOCK = 1;
const SERVER_VERSION_MIN = 15;

/**
 * Connects to a server and brings its tables up to date, or checks that they are.
 * @throws StartError in words for the operator
 */
export async function connectDatabase(url: string, migrationsRun: boolean): Promise<DataSource> {
  const dataSource = new DataSource(dataSourceOptions(url));
  await dataSource.initialize().catch((fault: unknown) => {
    throw cannotConnect(fault, url);
  });
  try {
    await checkVersion(dataSource);
    await refusePooledSessions(dataSource);
    if (migrationsRun) await runMigrations(dataSource);
    else await refuseOutdated(dataSource);
    return dataSource;
  } catch (fault) {
    await dataSource.destroy();
    throw explain(fault, url);
  }
}

/** Safe with several nodes: one runs them, the others wait and then find nothing to do. */
async function runMigrations(dataSource: DataSource): Promise<void> {
  const guard = dataSource.createQueryRunner();
  try {
    await guard.query(`SELECT pg_advisory_lock(${String(MIGRATION_LOCK)})`);
    await dataSource.runMigrations({ transaction: 'all' });
    // After a fault the connection is closed, and the lock is gone with it.
    await guard.query(`SELECT pg_advisory_unlock(${String(MIGRATION_LOCK)})`);
  } finally {
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

/** Whatever it is, it lies between here and the server, and the operator's address decides it. */
function cannotConnect(cause: unknown, url: string): StartError {
  const what = isDatabaseAway(cause) || isHostUnknown(cause) ? 'cannot be reached' : 'cannot be used';
  return new StartError(
    `The PostgreSQL server at ${withoutPassword(url)} ${what} (${reasonOf(cause)}): check DATABASE_URL.`,
    { cause },
  );
}

function explain(fault: unknown, url: string): unknown {
  if (isDatabaseAway(fault)) return cannotConnect(fault, url);
  if (!REFUSALS.has(sqlStateOf(fault) ?? '')) return fault;
  return new StartError(
    `The tables cannot be made in the database at ${withoutPassword(url)} (${reasonOf(fault)}): give its user the right to, or let another one run \`npm run cli -- migrate\`.`,
    { cause: fault },
  );
}

/** insufficient_privilege, read_only_sql_transaction */
const REFUSALS: ReadonlySet<string> = new Set(['42501', '25006']);

function reasonOf(fault: unknown): string {
  if (!(fault instanceof Error)) return String(fault);
  // Of several addresses of one host, each has its own fault and all together have no message.
  return fault.message || String((fault as NodeJS.ErrnoException).code);
}

function isHostUnknown(fault: unknown): boolean {
  return ['ENOTFOUND', 'EAI_AGAIN'].includes(sqlStateOf(fault) ?? '');
}

/** A password may also stand among the parameters. */
function withoutPassword(url: string): string {
  const { protocol, host, pathname, searchParams } = new URL(url);
  return `${protocol}//${host || (searchParams.get('host') ?? '')}${pathname}`;
}
