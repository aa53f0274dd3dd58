import { Injectable } from '@nestjs/common';
import type { EntityManager, QueryRunner } from 'typeorm';
import type { CopyPlan } from '../database/copy-plan';
import { readInBatches } from '../database/cursor';
import { runColumns } from '../database/id-run';
import type { RowQuery } from '../database/row-query';

export interface CopiedRoiRow {
  readonly sourceRoiId: string;
  readonly sourceImageId: string;
}

@Injectable()
export class RoiImageRepository {
  /** Inserts the copies of all ROIs of the source. @returns how many */
  async copy(manager: EntityManager, plan: CopyPlan): Promise<number> {
    const [row] = await manager.query<{ copied: number }[]>(
      `WITH copied AS (
         INSERT INTO roi_image (task_id, id, image_id, x, y, width, height, copied_from_id)
         SELECT
           $2::bigint, roi.id + run.shift, roi.image_id + image_run.shift, x, y, width, height, roi.id
         FROM unnest($3::bigint[], $4::bigint[], $5::bigint[]) AS run (first_id, last_id, shift)
         JOIN roi_image AS roi ON roi.id BETWEEN run.first_id AND run.last_id
         JOIN unnest($6::bigint[], $7::bigint[], $8::bigint[]) AS image_run (first_id, last_id, shift)
           ON roi.image_id BETWEEN image_run.first_id AND image_run.last_id
         WHERE roi.task_id = $1::bigint
         RETURNING 1
       )
       SELECT count(*)::int AS copied
       FROM copied`,
      [plan.source, plan.target, ...runColumns(plan.roiRuns), ...runColumns(plan.imageRuns)],
    );
    return row!.copied; // count(*) always answers one row
  }

  /** Inserts rows of (id, image_id, x, y, width, height); `$1` is the task. */
  async insert(manager: EntityManager, taskId: string, rows: RowQuery): Promise<void> {
    await manager.query(
      `INSERT INTO roi_image (task_id, id, image_id, x, y, width, height)
       SELECT $1::bigint, roi.*
       FROM (${rows.sql}) AS roi`,
      [taskId, ...rows.parameters],
    );
  }

  /** Deletes all ROIs of the task. */
  async delete(manager: EntityManager, taskId: string): Promise<void> {
    await manager.query(`DELETE FROM roi_image WHERE task_id = $1::bigint`, [taskId]);
  }

  /** Which image of the source each of the source's ROIs belonged to, from the copies behind `after` on. */
  streamCopied(
    connection: QueryRunner,
    taskId: string,
    limit: number | null,
    after: number,
  ): AsyncGenerator<CopiedRoiRow[]> {
    return readInBatches<CopiedRoiRow>(
      connection,
      `SELECT roi.copied_from_id AS "sourceRoiId", image.copied_from_id AS "sourceImageId"
       FROM (
         SELECT task_id, id, order_id, copied_from_id
         FROM image
         WHERE task_id = $1::bigint
           AND order_id > $3::int
           AND copied_from_id IS NOT NULL
         ORDER BY order_id
         LIMIT $2::int
       ) AS image
       JOIN roi_image AS roi ON roi.task_id = image.task_id AND roi.image_id = image.id
       ORDER BY image.order_id`,
      [taskId, limit, after],
    );
  }
}
