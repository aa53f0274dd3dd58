import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import type { Client, PoolClient } from 'pg';
import { DataSource, type QueryRunner } from 'typeorm';
import { ApiError } from '../errors/api-error';

const logger = new Logger('TaskLock');

/** How long a request waits for a task that another one writes, before it answers busy. */
const WAIT_MS_MAX = 10_000;

/** Between two looks at a lock: long enough that twenty who wait cost nothing, short enough that nobody notices. */
const POLL_MS = 100;

/** What a writing connection needs whatever the role or the URL say: a commit that is on disk, and timeouts of our own. */
const SESSION_SETTINGS = `
  SET synchronous_commit = on;
  SET statement_timeout = 0;
  SET idle_in_transaction_session_timeout = '15s';
  SET idle_session_timeout = '15s';
`;

/** Without it, the server goes on with the statement of a node that died, and keeps its locks: 11 s were measured. */
const DEAD_CLIENT_SETTING = `SET client_connection_check_interval = '500ms';`;

/** Answered by work that found another task's lock taken: everything is let go, and the work tried again from its start. */
export class Busy {
  constructor(readonly taskId: string) {}
}

/** A connection that holds the lock of a task. The transaction runs on this very connection. */
export interface LockedConnection {
  readonly connection: QueryRunner;
  /** Takes the lock of another task shared; false where somebody writes that task. */
  tryShare(taskId: string): Promise<boolean>;
  unshare(taskId: string): Promise<void>;
}

/**
 * The lock of a task: a session advisory lock under the task's id. Every write of a task holds it exclusively from before
 * its transaction begins until it is decided.
 *
 * Lock and transaction share one connection. With the lock on another one, that one may end, somebody else gets the lock
 * and reads the old state, and the COMMIT still lands. On one connection a free lock means that the transaction is decided.
 *
 * Who waits holds no connection: the lock is tried, and if it is taken the connection goes back to the pool.
 */
@Injectable()
export class TaskLock implements OnModuleInit {
  private sessionSettings = SESSION_SETTINGS;
  private readonly holds = new Set<Promise<unknown>>();
  private readonly clients = new Set<PoolClient>();
  private aborted = false;

  constructor(private readonly dataSource: DataSource) {}

  async onModuleInit(): Promise<void> {
    if (await this.accepts(DEAD_CLIENT_SETTING)) this.sessionSettings += DEAD_CLIENT_SETTING;
  }

  /**
   * Runs `work` with the task locked.
   * @throws ApiError TASK_BUSY when the lock, or one that `work` answered Busy for, did not come free in 10 s
   */
  async hold<T>(taskId: string, work: (locked: LockedConnection) => Promise<T | Busy>): Promise<T> {
    const holding = this.holdInTime(taskId, work);
    this.holds.add(holding);
    try {
      return await holding;
    } finally {
      this.holds.delete(holding);
    }
  }

  /** Resolves when all that hold a lock now, or wait for one, have ended. */
  async allReleased(): Promise<void> {
    await Promise.allSettled(this.holds);
  }

  /** Ends every session that holds a lock: their transactions are rolled back. Who waits for one gets none any more. */
  async abort(): Promise<void> {
    this.aborted = true;
    for (const client of this.clients) end(client);
    await this.allReleased();
  }

  /** Whether somebody writes the task now. */
  async isHeld(taskId: string): Promise<boolean> {
    const [row] = await this.dataSource.query<{ held: boolean }[]>(
      `SELECT EXISTS (
         SELECT
         FROM pg_locks
         WHERE locktype = 'advisory'
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND classid::bigint = $1::bigint >> 32
           AND objid::bigint = $1::bigint & 4294967295
           AND objsubid = 1
           AND mode = 'ExclusiveLock'
           AND granted
       ) AS held`,
      [taskId],
    );
    return row?.held === true;
  }

  private async holdInTime<T>(
    taskId: string,
    work: (locked: LockedConnection) => Promise<T | Busy>,
  ): Promise<T> {
    const deadline = Date.now() + WAIT_MS_MAX;
    for (;;) {
      const outcome = await this.tryHold(taskId, work);
      if (!(outcome instanceof Busy)) return outcome;
      if (Date.now() >= deadline) throw new ApiError('TASK_BUSY', { id: outcome.taskId });
      // Two that wait for each other's task must not go on meeting.
      await sleep(POLL_MS * (0.5 + Math.random()));
    }
  }

  /** A server on a platform that can't watch a socket while it works refuses this setting. */
  private async accepts(setting: string): Promise<boolean> {
    const connection = this.dataSource.createQueryRunner();
    try {
      await connection.query(`${setting} RESET ALL`);
      return true;
    } catch (error) {
      logger.warn({ event: 'setting_refused', setting, error: String(error) });
      return false;
    } finally {
      await connection.release();
    }
  }

  private async tryHold<T>(
    taskId: string,
    work: (locked: LockedConnection) => Promise<T | Busy>,
  ): Promise<T | Busy> {
    const connection = this.dataSource.createQueryRunner();
    const client = (await connection.connect()) as PoolClient;
    this.clients.add(client);
    try {
      if (this.aborted) throw new ApiError('SHUTTING_DOWN');
      if (!(await tryLock(connection, 'pg_try_advisory_lock', taskId))) return new Busy(taskId);
      await connection.query(this.sessionSettings);
      return await work({
        connection,
        tryShare: (id) => tryLock(connection, 'pg_try_advisory_lock_shared', id),
        unshare: (id) => connection.query(`SELECT pg_advisory_unlock_shared($1::bigint)`, [id]),
      });
    } finally {
      this.clients.delete(client);
      await letGo(connection, client);
    }
  }
}

async function tryLock(
  connection: QueryRunner,
  method: 'pg_try_advisory_lock' | 'pg_try_advisory_lock_shared',
  taskId: string,
): Promise<boolean> {
  const [row] = await connection.manager.query<{ free: boolean }[]>(`SELECT ${method}($1::bigint) AS free`, [
    taskId,
  ]);
  return row?.free === true;
}

/** Unlocks and gives the connection back. One that can't is closed, which frees the lock as well. */
async function letGo(connection: QueryRunner, client: PoolClient): Promise<void> {
  try {
    await client.query('SELECT pg_advisory_unlock_all(); RESET ALL; DISCARD TEMP');
  } catch (error) {
    logger.warn({ event: 'connection_dropped', error: String(error) });
    // The pool takes no client back that has ended.
    end(client);
  } finally {
    await connection.release();
  }
}

/** Of a client that is busy the driver closes the socket at once. */
function end(client: PoolClient): void {
  void (client as unknown as Client).end().catch(() => undefined); // a pooled client is a Client; it is gone either way
}
