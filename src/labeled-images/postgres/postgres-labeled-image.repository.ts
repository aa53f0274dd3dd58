import { Injectable } from '@nestjs/common';
import type { EntityManager, QueryRunner } from 'typeorm';
import type { CopyPlan } from '../../database/copy-plan';
import { readInBatches } from '../../database/cursor';
import { runColumns } from '../../database/id-run';
import type { RowQuery } from '../../database/row-query';
import type { CopiedLabelClass } from '../../label-classes/label-class.repository';
import { LabeledImageRepository, type Annotation, type PlacedDocument } from '../labeled-image.repository';

interface DocumentRow {
  readonly labClassIds: number[];
  readonly annotations: Record<string, unknown>[];
}

/** Documents in PostgreSQL, written in the transaction of the rows: what is not committed was never there. */
@Injectable()
export class PostgresLabeledImageRepository extends LabeledImageRepository {
  override async copy(
    manager: EntityManager,
    plan: CopyPlan,
    labelClasses: readonly CopiedLabelClass[],
  ): Promise<number> {
    const [row] = await manager.query<{ copied: number }[]>(
      `WITH copied AS (
         INSERT INTO labeled_image (task_id, id, img_id, img_roi_id, lab_class_ids, annotations)
         SELECT
           $2::bigint, $9::text || (document.img_id + run.shift + $10::bigint), document.img_id + run.shift,
           document.img_roi_id + roi_run.shift,
           ARRAY(SELECT ($12::int[])[array_position($11::int[], id)] FROM unnest(document.lab_class_ids) AS id),
           document.annotations
         FROM unnest($3::bigint[], $4::bigint[], $5::bigint[]) AS run (first_id, last_id, shift)
         JOIN labeled_image AS document ON document.img_id BETWEEN run.first_id AND run.last_id
         LEFT JOIN unnest($6::bigint[], $7::bigint[], $8::bigint[]) AS roi_run (first_id, last_id, shift)
           ON document.img_roi_id BETWEEN roi_run.first_id AND roi_run.last_id
         WHERE document.task_id = $1::bigint
         RETURNING 1
       )
       SELECT count(*)::int AS copied
       FROM copied`,
      [
        plan.source,
        plan.target,
        ...runColumns(plan.imageRuns),
        ...runColumns(plan.roiRuns),
        plan.documentPrefix,
        plan.documentShift,
        labelClasses.map(({ sourceId }) => sourceId),
        labelClasses.map(({ id }) => id),
      ],
    );
    return row!.copied; // count(*) always answers one row
  }

  override async insert(manager: EntityManager, taskId: string, rows: RowQuery): Promise<void> {
    await manager.query(
      `INSERT INTO labeled_image (task_id, id, img_id, img_roi_id, lab_class_ids, annotations)
       SELECT $1::bigint, id, img_id, img_roi_id, lab_class_ids, annotations::json
       FROM (${rows.sql}) AS document (id, img_id, img_roi_id, lab_class_ids, annotations)`,
      [taskId, ...rows.parameters],
    );
  }

  override async find(manager: EntityManager, taskId: string, mongoId: string): Promise<Annotation[] | null> {
    const [row] = await manager.query<DocumentRow[]>(
      `SELECT lab_class_ids AS "labClassIds", annotations
       FROM labeled_image
       WHERE task_id = $1::bigint
         AND id = $2::text`,
      [taskId, mongoId],
    );
    return row ? toAnnotations(row) : null;
  }

  override async *stream(connection: QueryRunner, taskId: string): AsyncGenerator<PlacedDocument[]> {
    const batches = readInBatches<DocumentRow & { place: number }>(
      connection,
      `SELECT image.place, document.lab_class_ids AS "labClassIds", document.annotations
       FROM (
         SELECT task_id, mongo_id, order_id, (row_number() OVER (ORDER BY order_id))::int AS place
         FROM image
         WHERE task_id = $1::bigint
       ) AS image
       JOIN labeled_image AS document ON document.task_id = image.task_id AND document.id = image.mongo_id
       ORDER BY image.order_id`,
      [taskId],
    );
    for await (const rows of batches) {
      yield rows.map((row) => ({ place: row.place, annotations: toAnnotations(row) }));
    }
  }
}

/** Puts the class ids back where they belong: first in each annotation. */
function toAnnotations({ labClassIds, annotations }: DocumentRow): Annotation[] {
  return labClassIds.map((lab_class_id, at) => ({ lab_class_id, ...annotations[at] }));
}
