import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { DocumentRange } from '../database/document-range';
import type { GarbageReason } from './document-garbage.entity';

/** A write that has said which documents it may leave behind. */
export interface AnnouncedWrite extends DocumentRange {
  /** The id of its garbage row. */
  readonly id: string;
}

export interface GarbageRow extends AnnouncedWrite {
  readonly taskId: string;
  readonly reason: GarbageReason;
}

/** How long the range of a failed write is watched: a stopped node may wake and write late. */
const WATCH = '7 days';
/** The same where nothing can come late: who lost the answer to its COMMIT takes a row that is gone for success. */
const WATCH_MIN = '1 minute';

/** Where documents may lie that nothing points to. The rule that keeps it complete: DocumentGarbage. */
@Injectable()
export class DocumentGarbageRepository {
  /** Before any document of the write can exist; committed at once or with the record of the attempt. */
  async announce(
    manager: EntityManager,
    taskId: string,
    range: DocumentRange,
    reason: 'copy' | 'import' | 'edit',
    attemptId: string | null = null,
  ): Promise<AnnouncedWrite> {
    const id = await this.insert(manager, taskId, range, reason, attemptId);
    return { id, ...range };
  }

  /**
   * In the transaction that makes the documents reachable. A row that is gone was taken by somebody who held the write for
   * dead: that is a reason to roll back.
   */
  async withdraw(manager: EntityManager, write: AnnouncedWrite): Promise<void> {
    const withdrawn = await manager.query<unknown[]>(
      `WITH withdrawn AS (
         DELETE FROM document_garbage
         WHERE id = $1::bigint
           AND failed_at IS NULL
         RETURNING 1
       )
       SELECT
       FROM withdrawn`,
      [write.id],
    );
    if (withdrawn.length !== 1) throw new Error(`the write of documents ${write.firstId} was given up`);
  }

  /** In the transaction that takes the pointers to these documents away. */
  async add(
    manager: EntityManager,
    taskId: string,
    range: DocumentRange,
    reason: 'replaced' | 'deleted',
  ): Promise<void> {
    await this.insert(manager, taskId, range, reason, null);
  }

  /** Whether the row is there: asked when no transaction that adds or withdraws it can be running any more. */
  async exists(manager: EntityManager, id: string): Promise<boolean> {
    const rows = await manager.query<unknown[]>(`SELECT FROM document_garbage WHERE id = $1::bigint`, [id]);
    return rows.length === 1;
  }

  /** The documents of edits of this task that are neither committed nor given up in this snapshot. */
  async editsInFlight(manager: EntityManager, taskId: string): Promise<string[]> {
    const rows = await manager.query<{ first_id: string }[]>(
      `SELECT first_id
       FROM document_garbage
       WHERE task_id = $1::bigint
         AND reason = 'edit'
         AND failed_at IS NULL`,
      [taskId],
    );
    return rows.map(({ first_id }) => first_id);
  }

  /** Tasks with writes that have neither committed nor failed: they run, or their process has died. */
  async tasksInDoubt(manager: EntityManager): Promise<string[]> {
    const rows = await manager.query<{ task_id: string }[]>(
      `SELECT DISTINCT task_id
       FROM document_garbage
       WHERE reason IN ('copy', 'import', 'edit')
         AND failed_at IS NULL
       ORDER BY task_id`,
    );
    return rows.map(({ task_id }) => task_id);
  }

  /** Gives up every write of the task that has not committed. Only for who holds the task's lock: none can be running. */
  async giveUp(manager: EntityManager, taskId: string): Promise<void> {
    await manager.query(
      `UPDATE document_garbage
       SET failed_at = clock_timestamp(), sweep_at = clock_timestamp()
       WHERE task_id = $1::bigint
         AND reason IN ('copy', 'import', 'edit')
         AND failed_at IS NULL`,
      [taskId],
    );
  }

  /** Gives up one write that is known to have failed: for who holds the task's lock with others, whose writes may run. */
  async fail(manager: EntityManager, { id }: AnnouncedWrite): Promise<void> {
    await manager.query(
      `UPDATE document_garbage
       SET failed_at = clock_timestamp(), sweep_at = clock_timestamp()
       WHERE id = $1::bigint
         AND failed_at IS NULL`,
      [id],
    );
  }

  /** The rows that may be due, oldest first: which of them are is decided when they are claimed. */
  async findDue(manager: EntityManager, keepS: number): Promise<string[]> {
    const rows = await manager.query<{ id: string }[]>(
      `SELECT id
       FROM document_garbage
       WHERE ${IS_DUE}
       ORDER BY id`,
      [keepS],
    );
    return rows.map(({ id }) => id);
  }

  /** Locks a row that is still due until the end of the transaction; null where it is not, or another node sweeps it. */
  async claim(manager: EntityManager, id: string, keepS: number): Promise<GarbageRow | null> {
    const [row] = await manager.query<(GarbageRow & { madeBy: string })[]>(
      `SELECT
         id, task_id AS "taskId", first_id AS "firstId", last_id AS "lastId", reason, made_by AS "madeBy"
       FROM document_garbage
       WHERE id = $2::bigint
         AND (${IS_DUE})
       FOR UPDATE SKIP LOCKED`,
      [keepS, id],
    );
    // Read after the row: who begins now does not see the pointers any more.
    return row && (await this.isOutOfSight(manager, row.madeBy)) ? row : null;
  }

  /**
   * Ends the claim: the row goes; that of a failed write stays and is due again after as long as it has waited already,
   * until it has been watched for long enough.
   */
  async settle(manager: EntityManager, id: string, canWriteLate: boolean): Promise<void> {
    await manager.query(
      `WITH watched AS (
         UPDATE document_garbage
         SET sweep_at = clock_timestamp() + greatest(interval '1 minute', clock_timestamp() - failed_at)
         WHERE id = $1::bigint
           AND failed_at > clock_timestamp() - $2::interval
         RETURNING id
       )
       DELETE FROM document_garbage
       WHERE id = $1::bigint
         AND NOT EXISTS (SELECT FROM watched)`,
      [id, canWriteLate ? WATCH : WATCH_MIN],
    );
  }

  /**
   * Whether no session has a snapshot as old as this transaction. Neither the time (a transaction commits later than it
   * begins) nor `pg_snapshot_xmin` (a reader has no xid) says so; `backend_xmin` does. Our own comes from the others'.
   */
  private async isOutOfSight(manager: EntityManager, madeBy: string): Promise<boolean> {
    const [row] = await manager.query<{ out_of_sight: boolean }[]>(
      `SELECT coalesce(
         $1::bigint < pg_current_xact_id()::text::bigint - max(age(backend_xmin)),
         true
       ) AS out_of_sight
       FROM pg_stat_activity
       WHERE backend_xmin IS NOT NULL
         AND pid <> pg_backend_pid()
         AND coalesce(datname = current_database(), true)`,
      [madeBy],
    );
    return row!.out_of_sight; // max() always answers one row
  }

  private async insert(
    manager: EntityManager,
    taskId: string,
    { firstId, lastId }: DocumentRange,
    reason: GarbageReason,
    attemptId: string | null,
  ): Promise<string> {
    const [row] = await manager.query<{ id: string }[]>(
      `INSERT INTO document_garbage (task_id, first_id, last_id, reason, attempt_id, made_by)
       VALUES ($1::bigint, $2::text, $3::text, $4::text, $5::uuid, pg_current_xact_id()::text::bigint)
       RETURNING id`,
      [taskId, firstId, lastId, reason, attemptId],
    );
    return row!.id; // an INSERT of one row
  }
}

/** `$1` is SWEEP_KEEP_S. */
const IS_DUE = `
  sweep_at <= clock_timestamp()
  OR (reason IN ('replaced', 'deleted') AND made_at <= clock_timestamp() - make_interval(secs => $1::int))`;
