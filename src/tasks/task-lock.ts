import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import type { Client, PoolClient } from 'pg';
import { DataSource, type QueryRunner } from 'typeorm';
import type { Environment } from '../config/environment';
import { ENVIRONMENT } from '../config/environment.module';
import { isDatabaseAway } from '../database/database-faults';
import { ApiError } from '../errors/api-error';
import type { ErrorName } from '../errors/errors';
import { LockedConnection, tryLock, type LockMode } from './locked-connection';
import { Places } from './places';

const logger = new Logger('TaskLock');

/** How long a request waits for a task that another one writes, before it answers busy. */
const WAIT_MS_MAX = 10_000;

/** Between two looks at a lock: long enough that twenty who wait cost nothing, short enough that nobody notices. */
const POLL_MS = 100;

/** What a writing connection needs whatever the role or the URL say: a commit that is on disk, and timeouts of our own. */
const SESSION_SETTINGS = `
  SET synchronous_commit = on;
  SET statement_timeout = 0;
  SET lock_timeout = 0;
  SET idle_in_transaction_session_timeout = '15s';
  SET idle_session_timeout = '15s';
`;

/** Without it, the server goes on with the statement of a node that died, and keeps its locks: 11 s were measured. */
const DEAD_CLIENT_SETTING = `SET client_connection_check_interval = '500ms';`;

/** Answered by work that found another task's lock taken: everything is let go, and the work tried again from its start. */
export class Busy {
  constructor(
    readonly taskId: string,
    readonly reason: ErrorName = 'TASK_BUSY',
  ) {}
}

type Work<T> = (locked: LockedConnection) => Promise<T | Busy>;

/**
 * The lock of a task: a session advisory lock under the task's id. Every write of a task holds it from before its
 * transaction begins until it is decided: edits of annotations shared, all others exclusively.
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
  private readonly longWrites: Places;
  private aborted = false;

  constructor(
    @Inject(ENVIRONMENT) environment: Environment,
    private readonly dataSource: DataSource,
  ) {
    this.longWrites = new Places(environment.maxCopies);
  }

  async onModuleInit(): Promise<void> {
    if (await this.accepts(DEAD_CLIENT_SETTING)) this.sessionSettings += DEAD_CLIENT_SETTING;
  }

  /**
   * Runs `work` with the task locked.
   * @throws ApiError TASK_BUSY when the lock, or one that `work` answered Busy for, did not come free in 10 s
   */
  hold<T>(taskId: string, work: Work<T>, mode: LockMode = 'exclusive'): Promise<T> {
    return this.tracked(this.holdInTime(() => this.tryHold(taskId, mode, work)));
  }

  /**
   * The same for writes that take long: of these only MAX_COPIES run at once, so that reads keep their connections.
   * @throws ApiError TASK_BUSY; TOO_MANY_COPIES when none of them ended in 10 s
   */
  holdLong<T>(taskId: string, work: Work<T>): Promise<T> {
    return this.tracked(this.holdInTime((deadline) => this.tryHoldLong(taskId, work, deadline)));
  }

  /** Runs `work` only if nobody holds the lock. @returns whether it ran */
  async holdIfFree(taskId: string, work: (locked: LockedConnection) => Promise<void>): Promise<boolean> {
    return !((await this.tracked(this.tryHold(taskId, 'exclusive', work))) instanceof Busy);
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

  private async tracked<T>(holding: Promise<T>): Promise<T> {
    this.holds.add(holding);
    try {
      return await holding;
    } finally {
      this.holds.delete(holding);
    }
  }

  private async holdInTime<T>(tryOnce: (deadline: number) => Promise<T | Busy>): Promise<T> {
    const deadline = Date.now() + WAIT_MS_MAX;
    for (;;) {
      const outcome = await tryOnce(deadline);
      if (!(outcome instanceof Busy)) return outcome;
      if (Date.now() >= deadline) throw new ApiError(outcome.reason, { id: outcome.taskId });
      // Two that wait for each other's task must not go on meeting.
      await sleep(POLL_MS * (0.5 + Math.random()));
    }
  }

  private async tryHoldLong<T>(taskId: string, work: Work<T>, deadline: number): Promise<T | Busy> {
    if (!(await this.longWrites.take(deadline - Date.now()))) return new Busy(taskId, 'TOO_MANY_COPIES');
    try {
      // Nobody waits inside: who does not get a lock at once gives the place up again.
      return await this.tryHold(taskId, 'exclusive', work);
    } finally {
      this.longWrites.leave();
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

  private async tryHold<T>(taskId: string, mode: LockMode, work: Work<T>): Promise<T | Busy> {
    const connection = await this.tryConnect(taskId, mode);
    if (!connection) return new Busy(taskId);
    const locked = new LockedConnection(connection, (lost) => this.reconnect(taskId, lost));
    try {
      return await work(locked);
    } finally {
      await this.letGo(locked.connection);
    }
  }

  /** A connection of the pool that holds the lock now; null where somebody else does. */
  private async tryConnect(taskId: string, mode: LockMode): Promise<QueryRunner | null> {
    const connection = this.dataSource.createQueryRunner();
    const client = (await connection.connect()) as PoolClient;
    this.clients.add(client);
    let isLocked = false;
    try {
      if (this.aborted) throw new ApiError('SHUTTING_DOWN');
      isLocked = await tryLock(connection, taskId, mode);
      if (isLocked) await connection.query(this.sessionSettings);
      return isLocked ? connection : null;
    } catch (error) {
      isLocked = false;
      throw error;
    } finally {
      if (!isLocked) await this.letGo(connection);
    }
  }

  /**
   * The lock once more, after its session was lost: when it is free that session's transaction is decided.
   * @throws ApiError OUTCOME_UNKNOWN when it can't be had in 10 s
   */
  private async reconnect(taskId: string, lost: QueryRunner): Promise<QueryRunner> {
    await this.letGo(lost);
    const deadline = Date.now() + WAIT_MS_MAX;
    while (Date.now() < deadline) {
      try {
        const connection = await this.tryConnect(taskId, 'exclusive');
        if (connection) return connection;
      } catch (error) {
        if (!isDatabaseAway(error)) throw error;
        logger.warn({ event: 'reconnect_failed', taskId, error: String(error) });
      }
      await sleep(POLL_MS);
    }
    throw new ApiError('OUTCOME_UNKNOWN', { id: taskId });
  }

  /** Unlocks and gives the connection back. One that can't is closed, which frees the lock as well. */
  private async letGo(connection: QueryRunner): Promise<void> {
    const client = (await connection.connect()) as PoolClient;
    this.clients.delete(client);
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
}

/** Of a client that is busy the driver closes the socket at once. */
function end(client: PoolClient): void {
  void (client as unknown as Client).end().catch(() => undefined); // a pooled client is a Client; it is gone either way
}
