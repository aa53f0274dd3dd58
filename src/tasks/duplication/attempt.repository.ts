import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { CopyPlan } from '../../database/copy-plan';
import { ApiError } from '../../errors/api-error';
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

/** The attempt record: which duplication filled a task, or is about to. Written only by who holds the task's lock. */
@Injectable()
export class AttemptRepository {
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
    if (attempt?.state === 'running') await this.markDead(manager, target);
    if (attempt?.state !== 'done') return false;
    if (attempt.sourceTaskId !== source) {
      throw new ApiError('COPY_OF_ANOTHER_TASK', { id: target, source: attempt.sourceTaskId });
    }
    return true;
  }

  /** Records a new attempt, in place of an earlier one that failed. @returns its id */
  async begin(manager: EntityManager, plan: CopyPlan): Promise<string> {
    const [row] = await manager.query<{ attempt_id: string }[]>(
      `INSERT INTO task_duplication (
         task_id, attempt_id, source_task_id, state, started_at,
         image_count, roi_count, label_class_count, document_count
       )
       VALUES (
         $1::bigint, gen_random_uuid(), $2::bigint, 'running', clock_timestamp(),
         $3::int, $4::int, $5::int, $6::int
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
           document_count = excluded.document_count
       RETURNING attempt_id`,
      [plan.target, plan.source, plan.imageCount, plan.roiCount, plan.labelClassCount, plan.documentCount],
    );
    return row!.attempt_id; // an upsert always answers one row
  }

  /** Marks this attempt done, in the transaction of the copy. Any other attempt in its place is a reason to roll back. */
  async finish(
    manager: EntityManager,
    target: string,
    attemptId: string,
    documentCount: number,
  ): Promise<void> {
    const finished = await manager.query<unknown[]>(
      `WITH finished AS (
         UPDATE task_duplication
         SET state = 'done', finished_at = clock_timestamp(), document_count = $3::int
         WHERE task_id = $1::bigint
           AND attempt_id = $2::uuid
           AND state = 'running'
         RETURNING 1
       )
       SELECT
       FROM finished`,
      [target, attemptId, documentCount],
    );
    if (finished.length !== 1)
      throw new Error(`attempt ${attemptId} is not the running one of task ${target}`);
  }

  async fail(manager: EntityManager, target: string, attemptId: string): Promise<void> {
    await manager.query(
      `UPDATE task_duplication
       SET state = 'failed', finished_at = clock_timestamp()
       WHERE task_id = $1::bigint
         AND attempt_id = $2::uuid
         AND state = 'running'`,
      [target, attemptId],
    );
  }

  private async markDead(manager: EntityManager, target: string): Promise<void> {
    await manager.query(
      `UPDATE task_duplication
       SET state = 'failed', finished_at = clock_timestamp()
       WHERE task_id = $1::bigint
         AND state = 'running'`,
      [target],
    );
  }
}
