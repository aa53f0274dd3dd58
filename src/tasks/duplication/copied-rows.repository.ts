import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { RowQuery } from '../../database/row-query';
import { findingsIn, type Findings } from '../../labeled-images/findings';

/** A finished copy and what it was made from. */
export interface CopiedTask {
  readonly target: string;
  /** null where the source is gone. */
  readonly source: string | null;
}

/** A copy as it is now. */
export interface CopyCounts {
  readonly images: number;
  readonly rois: number;
  readonly labelClasses: number;
  /** What the task itself says. */
  readonly recordedImages: number;
  /**
   * How many documents were copied, as far as it still shows: whether an image had one before it was edited is known from
   * the source, unless that is edited as well, or gone.
   */
  readonly documentsMin: number;
  readonly documentsMax: number;
  readonly edited: number;
  readonly originalsEdited: number;
}

/** The images of a copy, each with the source's, if that is there. `$1` is the copy, `$2` the source. */
const COPIED_IMAGES = `
  image AS copied
  CROSS JOIN (
    SELECT
      document_prefix AS prefix, document_shift AS shift, edits_in_flight,
      -- Without a range there were no documents: every one is of an edit.
      coalesce(last_document_id, '') AS last_id
    FROM task_duplication
    CROSS JOIN installation
    WHERE task_id = $1::bigint
  ) AS attempt
  LEFT JOIN image AS original ON original.task_id = $2::bigint AND original.id = copied.copied_from_id`;

/** Numbers only grow: a document behind those of the attempt was reserved later. */
const IS_EDITED = isReservedLater('copied');

/** Also by an edit that was reserved before, and was not in the snapshot that was copied. */
const IS_ORIGINAL_EDITED = `(
  ${isReservedLater('original')} OR coalesce(original.mongo_id = ANY (attempt.edits_in_flight), false))`;

function isReservedLater(image: 'copied' | 'original'): string {
  return `
    coalesce(left(${image}.mongo_id, 5) = attempt.prefix AND ${image}.mongo_id > attempt.last_id, false)`;
}

/** The documents that must be equal, for `LabeledImageRepository.compare`. */
export const COPIED_DOCUMENTS: RowQuery = {
  sql: `SELECT copied.id, copied.order_id, copied.mongo_id, original.id, original.mongo_id
        FROM ${COPIED_IMAGES}
        WHERE copied.task_id = $1::bigint
          AND copied.mongo_id IS NOT NULL
          AND original.mongo_id IS NOT NULL
          AND NOT ${IS_EDITED}
          AND NOT ${IS_ORIGINAL_EDITED}`,
  parameters: [],
};

/** What makes a row of these tables known, and in which order. A ROI is named by its image. */
const COPIED_TABLES = {
  image: { id: 'id', place: 'order_id', isOrdered: true },
  roi_image: { id: 'image_id', place: 'id', isOrdered: false },
  label_class: { id: 'id', place: 'order_id', isOrdered: true },
} as const;

export type CopiedTable = keyof typeof COPIED_TABLES;

/** The rows of a finished copy beside those of its source, compared inside the database. */
@Injectable()
export class CopiedRowsRepository {
  /**
   * Until the transaction ends, tasks are joined whole. The planner takes a task for a 200th of its table, and would compare
   * each image with every other one: 20,000 of them for longer than 20 s.
   */
  async joinWholeTasks(manager: EntityManager): Promise<void> {
    await manager.query('SET LOCAL enable_nestloop = off');
  }

  /** Whether the source is the one that was copied: a task that was created later only has its id. */
  async hasSource(manager: EntityManager, target: string): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      `SELECT
       FROM task_duplication AS attempt
       JOIN task AS source ON source.task_id = attempt.source_task_id AND source.created_at <= attempt.started_at
       WHERE attempt.task_id = $1::bigint`,
      [target],
    );
    return rows.length === 1;
  }

  /** null where there is no such task. */
  async count(manager: EntityManager, { target, source }: CopiedTask): Promise<CopyCounts | null> {
    const [row] = await manager.query<CopyCounts[]>(
      `SELECT
         task.image_count AS "recordedImages",
         images, edited, originals_edited AS "originalsEdited",
         documents AS "documentsMin", documents + possible_documents AS "documentsMax",
         (SELECT count(*)::int FROM roi_image WHERE task_id = $1::bigint) AS rois,
         (SELECT count(*)::int FROM label_class WHERE task_id = $1::bigint) AS "labelClasses"
       FROM task
       CROSS JOIN (
         SELECT
           count(*)::int AS images,
           count(*) FILTER (WHERE is_edited)::int AS edited,
           count(*) FILTER (WHERE is_original_edited)::int AS originals_edited,
           count(*) FILTER (WHERE CASE
             WHEN is_edited THEN original_mongo_id IS NOT NULL AND NOT is_original_edited
             ELSE mongo_id IS NOT NULL
           END)::int AS documents,
           count(*) FILTER (WHERE is_edited AND (is_original_edited OR original_id IS NULL))::int AS possible_documents
         FROM (
           SELECT
             copied.mongo_id, original.id AS original_id, original.mongo_id AS original_mongo_id,
             ${IS_EDITED} AS is_edited, ${IS_ORIGINAL_EDITED} AS is_original_edited
           FROM ${COPIED_IMAGES}
           WHERE copied.task_id = $1::bigint
         ) AS image
       ) AS counted
       WHERE task.task_id = $1::bigint`,
      [target, source],
    );
    return row ?? null;
  }

  /**
   * Rows that are a copy of nothing, of a row that another one is a copy of, or of none of the source's; rows of the source
   * without a copy; and rows that are not behind the one before by 1.
   */
  findStrayIds(
    manager: EntityManager,
    table: CopiedTable,
    { target, source }: CopiedTask,
  ): Promise<Findings> {
    const { id, place, isOrdered } = COPIED_TABLES[table];
    const step = isOrdered ? `${place} - lag(${place}, 1, 0) OVER (ORDER BY ${place})` : '1';
    return find(
      manager,
      `SELECT coalesce(copied.example, original.example), coalesce(copied.place, original.place)
       FROM (
         SELECT
           ${id} AS example, ${place} AS place, copied_from_id, ${step} AS step,
           row_number() OVER (PARTITION BY copied_from_id ORDER BY ${place}) AS nth
         FROM ${table}
         WHERE task_id = $1::bigint
       ) AS copied
       FULL JOIN (
         SELECT id, ${id} AS example, ${place} AS place
         FROM ${table}
         WHERE task_id = $2::bigint
       ) AS original ON original.id = copied.copied_from_id
       -- Of nothing, or of a row of the source that has no copy.
       WHERE copied.copied_from_id IS NULL
         OR (original.id IS NULL AND $2::bigint IS NOT NULL)
         OR copied.nth > 1
         OR copied.step <> 1`,
      [target, source],
    );
  }

  /** Images that were not edited and point elsewhere than to the document that was made for them. */
  findStrayPointers(manager: EntityManager, { target, source }: CopiedTask): Promise<Findings> {
    return find(
      manager,
      `SELECT copied.id, copied.order_id
       FROM ${COPIED_IMAGES}
       WHERE copied.task_id = $1::bigint
         AND copied.mongo_id IS NOT NULL
         AND NOT ${IS_EDITED}
         AND (copied.mongo_id = attempt.prefix || (copied.id + attempt.shift)) IS NOT TRUE`,
      [target, source],
    );
  }

  /** ROIs of an image that is not there. */
  findStrayRois(manager: EntityManager, { target }: CopiedTask): Promise<Findings> {
    return find(
      manager,
      `SELECT roi.image_id, roi.id
       FROM roi_image AS roi
       LEFT JOIN image ON image.task_id = roi.task_id AND image.id = roi.image_id
       WHERE roi.task_id = $1::bigint
         AND image.id IS NULL`,
      [target],
    );
  }

  /**
   * Images that are not as the source's, each with its ROI. Their ranks are compared among those that are on both sides: one
   * that is missing does not move all others. What an edit may have changed is the document, and no state into 已标注.
   */
  compareImages(manager: EntityManager, { target, source }: CopiedTask): Promise<Findings> {
    return find(
      manager,
      `SELECT id, order_id
       FROM (
         SELECT
           copied.id, copied.order_id,
           row_number() OVER (ORDER BY copied.order_id) AS rank,
           row_number() OVER (ORDER BY original.order_id) AS original_rank,
           (copied.set_type, copied.name, copied.width, copied.height, copied.extra::text)
             IS DISTINCT FROM
             (original.set_type, original.name, original.width, original.height, original.extra::text)
           OR (roi.copied_from_id, roi.x, roi.y, roi.width, roi.height)
             IS DISTINCT FROM
             (original_roi.id, original_roi.x, original_roi.y, original_roi.width, original_roi.height)
           OR CASE
             WHEN ${IS_EDITED} OR ${IS_ORIGINAL_EDITED}
             THEN coalesce(copied.state, '已标注') <> coalesce(original.state, '已标注')
             ELSE copied.state IS DISTINCT FROM original.state
               OR (copied.mongo_id IS NULL) <> (original.mongo_id IS NULL)
           END AS differs
         FROM ${COPIED_IMAGES}
         LEFT JOIN roi_image AS roi ON roi.task_id = $1::bigint AND roi.image_id = copied.id
         LEFT JOIN roi_image AS original_roi
           ON original_roi.task_id = $2::bigint AND original_roi.image_id = original.id
         WHERE copied.task_id = $1::bigint
           AND original.id IS NOT NULL
       ) AS pair
       WHERE differs
         OR rank <> original_rank`,
      [target, source],
    );
  }

  compareLabelClasses(manager: EntityManager, { target, source }: CopiedTask): Promise<Findings> {
    return find(
      manager,
      `SELECT id, order_id
       FROM (
         SELECT
           copied.id, copied.order_id,
           row_number() OVER (ORDER BY copied.order_id) AS rank,
           row_number() OVER (ORDER BY original.order_id) AS original_rank,
           (copied.name, copied.color, copied.extra::text)
             IS DISTINCT FROM (original.name, original.color, original.extra::text) AS differs
         FROM label_class AS copied
         JOIN label_class AS original ON original.task_id = $2::bigint AND original.id = copied.copied_from_id
         WHERE copied.task_id = $1::bigint
       ) AS pair
       WHERE differs
         OR rank <> original_rank`,
      [target, source],
    );
  }

  /** The copy itself where `info` or `licenses` of its data set are not the source's; name and type may be its own. */
  compareTask(manager: EntityManager, { target, source }: CopiedTask): Promise<Findings> {
    return find(
      manager,
      `SELECT copied.task_id, 1
       FROM task AS copied
       JOIN task AS original ON original.task_id = $2::bigint
       WHERE copied.task_id = $1::bigint
         AND (copied.coco_info::text, copied.coco_licenses::text)
           IS DISTINCT FROM (original.coco_info::text, original.coco_licenses::text)`,
      [target, source],
    );
  }
}

async function find(
  manager: EntityManager,
  faults: string,
  parameters: readonly (string | null)[],
): Promise<Findings> {
  const [row] = await manager.query<Findings[]>(findingsIn(faults), [...parameters]);
  return row!; // count(*) always answers one row
}
