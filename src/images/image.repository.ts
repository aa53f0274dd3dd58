import { Injectable } from '@nestjs/common';
import type { EntityManager, QueryRunner } from 'typeorm';
import type { CopyPlan, CopySlice } from '../database/copy-plan';
import { BATCH_ROWS_LARGE, readInBatches } from '../database/cursor';
import type { DocumentRange } from '../database/document-range';
import { runColumns, shiftedId, type IdRun } from '../database/id-run';
import { countAffected } from '../database/count-affected';
import type { RowQuery } from '../database/row-query';
import type { ImageState, SetType } from './image.entity';
import type { RoiBox } from './roi-image.entity';

export interface ImageRow {
  readonly id: string;
  readonly setType: SetType;
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly state: ImageState | null;
  readonly orderId: number;
  readonly mongoId: string | null;
}

export interface ImageWithRoiRow extends ImageRow {
  readonly roiId: string | null;
  readonly roi: RoiBox | null;
}

export interface ImageToExport extends ImageWithRoiRow {
  readonly extra: Record<string, unknown> | null;
}

/** An image that was copied, with the ids of what belongs to it on both sides. */
export interface CopiedImageRow {
  readonly orderId: number;
  readonly sourceId: string;
  readonly id: string;
  readonly sourceRoiId: string | null;
  readonly roiId: string | null;
  /** The document the source's image has now; null once the source is gone. */
  readonly sourceMongoId: string | null;
  readonly mongoId: string | null;
}

const IMAGE_COLUMNS = `
  image.id, image.set_type AS "setType", image.name, image.width, image.height, image.state,
  image.order_id AS "orderId", image.mongo_id AS "mongoId"`;

/** What ImageItem.from makes of a row. In Node a million of them take twice as long, and a core of its own. */
const IMAGE_ITEM = `concat(
  '{"set_type":', set_type, ',"img_name":', to_json(name), ',"img_id":"', id, '","width":', width,
  ',"height":', height, ',"state":', coalesce(to_json(state)::text, 'null'), ',"order_id":', order_id,
  ',"mongo_id":', coalesce(to_json(mongo_id)::text, 'null'), '}'
)`;

const ROI_COLUMNS = `
  roi.id AS "roiId", CASE WHEN roi.id IS NOT NULL THEN ARRAY[roi.x, roi.y, roi.width, roi.height] END AS roi`;

/** LIMIT, though there is one at the most: a plain join may compare each image with every ROI, 10,000 of them for 4 s. */
const ROI_OF_IMAGE = `
  LEFT JOIN LATERAL (
    SELECT id, x, y, width, height, copied_from_id
    FROM roi_image
    WHERE task_id = image.task_id
      AND image_id = image.id
    LIMIT 1
  ) AS roi ON true`;

@Injectable()
export class ImageRepository {
  /** Inserts the copies of a slice of the source's images, in the places they have. @returns how many */
  copy(manager: EntityManager, plan: CopyPlan, { firstId, lastId, imageRuns }: CopySlice): Promise<number> {
    return insertCopies(manager, plan, imageRuns, 'order_id', 'AND id BETWEEN $8::bigint AND $9::bigint', [
      firstId,
      lastId,
    ]);
  }

  /** Inserts the copies of all images of the source; gaps of `order_id` close up. @returns how many */
  copyClosingGaps(manager: EntityManager, plan: CopyPlan): Promise<number> {
    return insertCopies(manager, plan, plan.imageRuns, 'row_number() OVER (ORDER BY order_id)');
  }

  /** Inserts rows of (id, set_type, name, width, height, state, order_id, mongo_id, extra); `$1` is the task. */
  async insert(manager: EntityManager, taskId: string, rows: RowQuery): Promise<void> {
    await manager.query(
      `INSERT INTO image (task_id, id, set_type, name, width, height, state, order_id, mongo_id, extra)
       SELECT $1::bigint, image.*
       FROM (${rows.sql}) AS image`,
      [taskId, ...rows.parameters],
    );
  }

  /**
   * How far the numbers in the documents' ids lie from the ids of their images, which is the same for all that were made
   * together: the most frequent one among the first images. null where their ids are not this installation's.
   */
  async documentShift(
    manager: EntityManager,
    taskId: string,
    firstId: string | null,
    prefix: string,
  ): Promise<bigint | null> {
    const [row] = await manager.query<{ shift: string | null }[]>(
      `SELECT mode() WITHIN GROUP (ORDER BY substr(mongo_id, 6)::numeric - id)::text AS shift
       FROM image
       WHERE task_id = $1::bigint
         AND id BETWEEN $2::bigint AND $2::bigint + 999
         AND mongo_id ~ ('^' || $3::text || '[0-9]{19}$')`,
      [taskId, firstId, prefix],
    );
    const shift = row!.shift; // mode() always answers one row
    return shift === null ? null : BigInt(shift);
  }

  /** A page by `order_id`, beginning behind `after`. */
  async page(
    manager: EntityManager,
    taskId: string,
    limit: number,
    after: number,
  ): Promise<ImageWithRoiRow[]> {
    // The planner would rather sort all images that follow, for every page anew.
    await manager.query('SET LOCAL enable_sort = off');
    return manager.query<ImageWithRoiRow[]>(
      `SELECT ${IMAGE_COLUMNS}, ${ROI_COLUMNS}
       FROM image
       ${ROI_OF_IMAGE}
       WHERE image.task_id = $1::bigint
         AND image.order_id > $3::int
       ORDER BY image.order_id
       LIMIT $2::int`,
      [taskId, limit, after],
    );
  }

  /**
   * The image's pointer to its annotation document; null where the task has no such image. Locked, it stays what it is until
   * the end of the transaction.
   */
  async findPointer(
    manager: EntityManager,
    taskId: string,
    imageId: string,
    lock: '' | 'FOR UPDATE' = '',
  ): Promise<{ readonly mongoId: string | null } | null> {
    const [row] = await manager.query<{ mongoId: string | null }[]>(
      `SELECT mongo_id AS "mongoId"
       FROM image
       WHERE task_id = $1::bigint
         AND id = $2::bigint
       ${lock}`,
      [taskId, imageId],
    );
    return row ?? null;
  }

  /** Points the image to another document, which makes it an annotated one. */
  async movePointer(manager: EntityManager, taskId: string, imageId: string, mongoId: string): Promise<void> {
    await manager.query(
      `UPDATE image
       SET mongo_id = $3::text, state = coalesce(state, '已标注')
       WHERE task_id = $1::bigint
         AND id = $2::bigint`,
      [taskId, imageId, mongoId],
    );
  }

  /**
   * Where the documents of the task lie: those that this installation made, and those before and behind them that were there
   * already. Apart, because new ids lie behind the installation's last one: no later document falls into any of the ranges,
   * even where the task's id is used again.
   */
  async documentRanges(manager: EntityManager, taskId: string): Promise<DocumentRange[]> {
    return manager.query<DocumentRange[]>(
      `SELECT min(mongo_id) AS "firstId", max(mongo_id) AS "lastId"
       FROM image
       CROSS JOIN installation
       WHERE task_id = $1::bigint
         AND mongo_id IS NOT NULL
       GROUP BY left(mongo_id, 5) < document_prefix, left(mongo_id, 5) > document_prefix`,
      [taskId],
    );
  }

  /** Deletes all images of the task, which have no ROI any more. */
  async delete(manager: EntityManager, taskId: string): Promise<void> {
    await manager.query(`DELETE FROM image WHERE task_id = $1::bigint`, [taskId]);
  }

  /** All images of the task by `order_id`, as an answer lists them: each as JSON text, made by the server. */
  streamItems(connection: QueryRunner, taskId: string): AsyncGenerator<{ readonly item: string }[]> {
    return readInBatches(
      connection,
      `SELECT ${IMAGE_ITEM} AS item
       FROM image
       WHERE task_id = $1::bigint
       ORDER BY order_id`,
      [taskId],
    );
  }

  /** All images with all that they hold, by `order_id`. */
  streamToExport(connection: QueryRunner, taskId: string): AsyncGenerator<ImageToExport[]> {
    return readInBatches<ImageToExport>(
      connection,
      `SELECT ${IMAGE_COLUMNS}, ${ROI_COLUMNS}, image.extra
       FROM image
       ${ROI_OF_IMAGE}
       WHERE image.task_id = $1::bigint
       ORDER BY image.order_id`,
      [taskId],
      BATCH_ROWS_LARGE,
    );
  }

  /** The images of a copy beside those they come from, by `order_id`, beginning behind `after`; all where `limit` is null. */
  streamCopied(
    connection: QueryRunner,
    taskId: string,
    sourceTaskId: string,
    limit: number | null,
    after: number,
  ): AsyncGenerator<CopiedImageRow[]> {
    return readInBatches<CopiedImageRow>(
      connection,
      `SELECT
         image.order_id AS "orderId", image.copied_from_id AS "sourceId", image.id,
         roi.copied_from_id AS "sourceRoiId", roi.id AS "roiId",
         original.mongo_id AS "sourceMongoId", image.mongo_id AS "mongoId"
       FROM image
       ${ROI_OF_IMAGE}
       -- LIMIT as for the ROI.
       LEFT JOIN LATERAL (
         SELECT mongo_id
         FROM image AS source
         WHERE source.task_id = $2::bigint
           AND source.id = image.copied_from_id
         LIMIT 1
       ) AS original ON true
       WHERE image.task_id = $1::bigint
         AND image.order_id > $4::int
         AND image.copied_from_id IS NOT NULL
       ORDER BY image.order_id
       LIMIT $3::int`,
      [taskId, sourceTaskId, limit, after],
    );
  }
}

function insertCopies(
  manager: EntityManager,
  plan: CopyPlan,
  runs: readonly IdRun[],
  place: string,
  condition = '',
  parameters: readonly bigint[] = [],
): Promise<number> {
  return countAffected(
    manager,
    `INSERT INTO image (
       task_id, id, set_type, name, width, height, state, order_id, mongo_id, copied_from_id, extra
     )
     SELECT
       $2::bigint, new_id, set_type, name, width, height, state, ${place},
       CASE WHEN mongo_id IS NOT NULL THEN $6::text || (new_id + $7::bigint) END, id, extra
     FROM image
     CROSS JOIN LATERAL (SELECT ${shiftedId('id', 3, runs)} AS new_id) AS copy
     WHERE task_id = $1::bigint
       ${condition}`,
    [plan.source, plan.target, ...runColumns(runs), plan.documentPrefix, plan.documentShift, ...parameters],
  );
}
