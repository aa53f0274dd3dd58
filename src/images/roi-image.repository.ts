import { Injectable } from '@nestjs/common';
import type { EntityManager, QueryRunner } from 'typeorm';
import type { CopyPlan, CopySlice } from '../database/copy-plan';
import { countAffected } from '../database/count-affected';
import { readInBatches } from '../database/cursor';
import { runColumns, shiftedId } from '../database/id-run';
import type { RowQuery } from '../database/row-query';

export interface CopiedRoiRow {
  readonly sourceRoiId: string;
  readonly sourceImageId: string;
}

@Injectable()
export class RoiImageRepository {
  /** Inserts the copies of the ROIs of a slice of the source's images. @returns how many */
  copy(
    manager: EntityManager,
    { source, target }: CopyPlan,
    { firstId, lastId, imageRuns, roiRuns }: CopySlice,
  ): Promise<number> {
    return countAffected(
      manager,
      `INSERT INTO roi_image (task_id, id, image_id, x, y, width, height, copied_from_id)
       SELECT $2::bigint, ${shiftedId('id', 3, roiRuns)}, ${shiftedId('image_id', 6, imageRuns)}, x, y, width, height, id
       FROM roi_image
       WHERE task_id = $1::bigint
         AND image_id BETWEEN $9::bigint AND $10::bigint`,
      [source, target, ...runColumns(roiRuns), ...runColumns(imageRuns), firstId, lastId],
    );
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
