import type { EntityManager, QueryRunner } from 'typeorm';
import { isDatabaseAway, isOutcomeUnknown } from '../database/database-faults';
import { rollBack, type Isolation } from '../database/transaction';

export type LockMode = 'exclusive' | 'shared';

/** A connection that holds the lock of a task. The transaction runs on this very connection. */
export class LockedConnection {
  constructor(
    private current: QueryRunner,
    private readonly reconnect: (lost: QueryRunner) => Promise<QueryRunner>,
  ) {}

  get connection(): QueryRunner {
    return this.current;
  }

  /** Takes the lock of another task shared; false where somebody writes that task. */
  tryShare(taskId: string): Promise<boolean> {
    return tryLock(this.current, taskId, 'shared');
  }

  async unshare(taskId: string): Promise<void> {
    await this.current.query(`SELECT pg_advisory_unlock_shared($1::bigint)`, [taskId]);
  }

  /**
   * Runs `work` in a transaction. Resolves when it has committed, and throws when it has not: where the answer to COMMIT
   * is lost, the lock is taken again on a new connection, and `hasCommitted` looks for what the transaction leaves.
   * @throws ApiError OUTCOME_UNKNOWN when that can't be found out in 10 s: nothing it may need must then be undone
   */
  async transaction<T>(
    isolation: Isolation,
    work: (manager: EntityManager) => Promise<T>,
    hasCommitted: (manager: EntityManager) => Promise<boolean>,
  ): Promise<T> {
    await this.current.startTransaction(isolation);
    let result: T;
    try {
      result = await work(this.current.manager);
    } catch (error) {
      await rollBack(this.current);
      throw error;
    }
    try {
      await this.current.commitTransaction();
    } catch (error) {
      await rollBack(this.current);
      if (!isOutcomeUnknown(error)) throw error;
      this.current = await this.reconnect(this.current);
      if (!(await hasCommitted(this.current.manager))) throw error;
    }
    return result;
  }

  /** Makes sure that the connection still holds the lock, after a fault; takes it again where its session was lost. */
  async ensure(): Promise<void> {
    try {
      await this.current.query('SELECT');
    } catch (error) {
      if (!isDatabaseAway(error)) throw error;
      this.current = await this.reconnect(this.current);
    }
  }
}

export async function tryLock(connection: QueryRunner, taskId: string, mode: LockMode): Promise<boolean> {
  const method = mode === 'exclusive' ? 'pg_try_advisory_lock' : 'pg_try_advisory_lock_shared';
  const [row] = await connection.manager.query<{ free: boolean }[]>(`SELECT ${method}($1::bigint) AS free`, [
    taskId,
  ]);
  return row?.free === true;
}
