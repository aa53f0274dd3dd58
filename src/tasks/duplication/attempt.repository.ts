import { Injectable } from '@nestjs/common';
import type { EntityManager, QueryRunner } from 'typeorm';
import type { CopyPlan } from '../../database/copy-plan';
import { inTransaction } from '../../database/transaction';
import { ApiError } from '../../errors/api-error';
import {
  DocumentGarbageRepository,
  type AnnouncedWrite,
} from '../../labeled-images/document-garbage.repository';
import type { DuplicationState } from './task-duplication.entity';

export interface AttemptRow {
  readonly taskId: string;
  readonly sourceTaskId: string;
  readonly state: DuplicationState;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
  readonly imageCount: number;
  readonly roiCount: number;
  readonly labelClassCount: number;
  readonly documentCount: number;
}

/** An attempt that runs. */
export interface Attempt {
  readonly id: string;
  readonly target: string;
  /** The documents it may leave behind; null where the source has no images. */
  readonly announced: AnnouncedWrite | null;
}

/** The attempt record: which duplication filled a task, or is about to. Written only by who holds the task's lock. */
@Injectable()
export class AttemptRepository {
  constructor(private readonly garbage: DocumentGarbageRepository) {}

  async find(manager: EntityManager, target: string): Promise<AttemptRow | null> {
    const [row] = await manager.query<AttemptRow[]>(
      `SELECT
         task_id AS "taskId", source_task_id AS "sourceTaskId", state, started_at AS "startedAt",
         finished_at AS "finishedAt", image_count AS "imageCount", roi_count AS "roiCount",
         label_class_count AS "labelClassCount", document_count AS "documentCount"
       FROM task_duplication
       WHERE task_id = $1::bigint`,
      [target],
    );
    return row ?? null;
  }

  /**
   * Whether this very duplication is done already. An attempt that still says running has died, since its lock was free:
   * it is marked failed.
   * @throws ApiError COPY_OF_ANOTHER_TASK
   */
  async settled(manager: EntityManager, source: string, target: string): Promise<boolean> {
    const attempt = await this.find(manager, target);
    if (attempt?.state === 'running') await this.failRunning(manager, target);
    if (attempt?.state !== 'done') return false;
    if (attempt.sourceTaskId !== source) {
      throw new ApiError('COPY_OF_ANOTHER_TASK', { id: target, source: attempt.sourceTaskId });
    }
    return true;
  }

  /** Records a new attempt, in place of an earlier one that failed, and the documents it may leave behind. */
  begin(connection: QueryRunner, plan: CopyPlan): Promise<Attempt> {
    return inTransaction(connection, 'READ COMMITTED', async (manager) => {
      const id = await this.insert(manager, plan);
      const { target, documents } = plan;
      const announced = documents && (await this.garbage.announce(manager, target, documents, 'copy', id));
      return { id, target, announced };
    });
  }

  /** Marks this attempt done, in the transaction of the copy. Any other attempt in its place is a reason to roll back. */
  async finish(
    manager: EntityManager,
    { id, target }: Attempt,
    documentCount: number,
    editsInFlight: readonly string[],
  ): Promise<void> {
    const finished = await manager.query<unknown[]>(
      `WITH finished AS (
         UPDATE task_duplication
         SET state = 'done', finished_at = clock_timestamp(), document_count = $3::int, edits_in_flight = $4::text[]
         WHERE task_id = $1::bigint
           AND attempt_id = $2::uuid
           AND state = 'running'
         RETURNING 1
       )
       SELECT
       FROM finished`,
      [target, id, documentCount, editsInFlight],
    );
    if (finished.length !== 1) throw new Error(`attempt ${id} is not the running one of task ${target}`);
  }

  /** Whether this attempt, and no other, has filled its target. */
  async isDone(manager: EntityManager, { id, target }: Attempt): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      `SELECT
       FROM task_duplication
       WHERE task_id = $1::bigint
         AND attempt_id = $2::uuid
         AND state = 'done'`,
      [target, id],
    );
    return rows.length === 1;
  }

  /** The targets of attempts that say they run. */
  async running(manager: EntityManager): Promise<string[]> {
    const rows = await manager.query<{ task_id: string }[]>(
      `SELECT task_id
       FROM task_duplication
       WHERE state = 'running'`,
    );
    return rows.map(({ task_id }) => task_id);
  }

  /** Only for who holds the target's lock: the attempt that says it runs has failed, or its process has died. */
  async failRunning(manager: EntityManager, target: string): Promise<void> {
    await manager.query(
      `UPDATE task_duplication
       SET state = 'failed', finished_at = clock_timestamp()
       WHERE task_id = $1::bigint
         AND state = 'running'`,
      [target],
    );
  }

  /** In the transaction that deletes the task: its id is free again. */
  async delete(manager: EntityManager, target: string): Promise<void> {
    await manager.query(`DELETE FROM task_duplication WHERE task_id = $1::bigint`, [target]);
  }

  private async insert(manager: EntityManager, plan: CopyPlan): Promise<string> {
    const [row] = await manager.query<{ attempt_id: string }[]>(
      `INSERT INTO task_duplication (
         task_id, attempt_id, source_task_id, state, started_at,
         image_count, roi_count, label_class_count, document_count,
         document_shift, first_document_id, last_document_id
       )
       VALUES (
         $1::bigint, gen_random_uuid(), $2::bigint, 'running', clock_timestamp(),
         $3::int, $4::int, $5::int, $6::int,
         $7::bigint, $8::text, $9::text
       )
       ON CONFLICT (task_id) DO UPDATE
       SET attempt_id = excluded.attempt_id,
           source_task_id = excluded.source_task_id,
           state = excluded.state,
           started_at = excluded.started_at,
           finished_at = NULL,
           image_count = excluded.image_count,
           roi_count = excluded.roi_count,
           label_class_count = excluded.label_class_count,
           document_count = excluded.document_count,
           document_shift = excluded.document_shift,
           first_document_id = excluded.first_document_id,
           last_document_id = excluded.last_document_id
       RETURNING attempt_id`,
      [
        plan.target,
        plan.source,
        plan.imageCount,
        plan.roiCount,
        plan.labelClassCount,
        plan.documentCount,
        plan.documentShift,
        plan.documents?.firstId ?? null,
        plan.documents?.lastId ?? null,
      ],
    );
    return row!.attempt_id; // an upsert always answers one row
  }
}
