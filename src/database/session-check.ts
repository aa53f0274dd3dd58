import type { DataSource, QueryRunner } from 'typeorm';
import { StartError } from '../config/start-error';

/** Two would do, if nobody else used the pooler. */
const CONNECTIONS = 3;

/**
 * Makes sure that a connection has one session of the server for its own. A pooler in transaction mode (PgBouncer) gives each
 * transaction any session that is free, and there the locks of tasks would be nobody's: two copies into one task at once.
 *
 * Between transactions such a pooler hands the same session to one connection after the other, or others in turn; in
 * transactions that are open at once, and begin in another order, not all can meet theirs again.
 * @throws StartError
 */
export async function refusePooledSessions(dataSource: DataSource): Promise<void> {
  const connections = Array.from({ length: CONNECTIONS }, () => dataSource.createQueryRunner());
  try {
    const sessions: number[] = [];
    for (const connection of connections) sessions.push(await sessionOf(connection));
    const areTheirOwn = new Set(sessions).size === CONNECTIONS && (await areKept(connections, sessions));
    if (!areTheirOwn) throw new StartError(POOLED);
  } finally {
    // A connection that is lost meanwhile says so itself.
    await Promise.allSettled(connections.map((connection) => connection.release()));
  }
}

async function areKept(connections: readonly QueryRunner[], sessions: readonly number[]): Promise<boolean> {
  const within: number[] = [];
  for (const connection of [...connections].reverse()) {
    await connection.startTransaction();
    within.unshift(await sessionOf(connection));
  }
  for (const connection of connections) await connection.rollbackTransaction();
  return sessions.every((session, at) => session === within[at]);
}

async function sessionOf({ manager }: QueryRunner): Promise<number> {
  const [row] = await manager.query<{ pid: number }[]>('SELECT pg_backend_pid() AS pid');
  return row!.pid; // a SELECT without FROM always answers one row
}

const POOLED =
  'DATABASE_URL leads to a connection pooler that shares sessions between clients (PgBouncer in transaction mode): the locks of the service would not hold. Name the PostgreSQL server itself, or a pool with pool_mode=session.';
