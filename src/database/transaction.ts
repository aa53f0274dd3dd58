import { Logger } from '@nestjs/common';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';

export type Isolation = 'READ COMMITTED' | 'REPEATABLE READ';

const logger = new Logger('Transaction');

/** Runs `work` in a transaction on this connection and commits; anything that is thrown rolls back. */
export async function inTransaction<T>(
  connection: QueryRunner,
  isolation: Isolation,
  work: (manager: EntityManager) => Promise<T>,
): Promise<T> {
  await connection.startTransaction(isolation);
  try {
    const result = await work(connection.manager);
    await connection.commitTransaction();
    return result;
  } catch (error) {
    await rollBack(connection);
    throw error;
  }
}

/** Runs `work` on a connection of its own in one snapshot: whoever reads pointers and then what they point to, reads here. */
export async function inSnapshot<T>(
  dataSource: DataSource,
  work: (connection: QueryRunner) => Promise<T>,
): Promise<T> {
  const connection = dataSource.createQueryRunner();
  try {
    return await inTransaction(connection, 'REPEATABLE READ', () => work(connection));
  } finally {
    await connection.release();
  }
}

/** The same for what is read piece by piece: the snapshot ends with the reader, at the end or before. */
export async function* streamInSnapshot<T>(
  dataSource: DataSource,
  read: (connection: QueryRunner) => AsyncGenerator<T>,
): AsyncGenerator<T> {
  const connection = dataSource.createQueryRunner();
  try {
    await connection.startTransaction('REPEATABLE READ');
    // Who streams wants the first row at once and in the order of an index; the planner would rather sort all of them.
    await connection.query('SET LOCAL enable_sort = off');
    yield* read(connection);
    await connection.commitTransaction();
  } finally {
    await rollBack(connection);
    await connection.release();
  }
}

/** A ROLLBACK that fails means that the connection is gone, and with it the transaction: it must not hide the first error. */
export async function rollBack(connection: QueryRunner): Promise<void> {
  if (!connection.isTransactionActive) return;
  try {
    await connection.rollbackTransaction();
  } catch (error) {
    logger.warn({ event: 'rollback_failed', error: String(error) });
  }
}
