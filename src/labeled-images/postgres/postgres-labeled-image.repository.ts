import { Injectable } from '@nestjs/common';
import type { EntityManager, QueryRunner } from 'typeorm';
import { copyText, escapeText, joinFields } from '../../database/copy-rows';
import type { CopyPlan, CopySlice } from '../../database/copy-plan';
import { throwUnlessAborted } from '../../database/database-faults';
import type { DocumentRange } from '../../database/document-range';
import { OneInFlight } from '../../database/one-in-flight';
import type { RowQuery } from '../../database/row-query';
import type { CopiedLabelClass } from '../../label-classes/label-class.repository';
import { EXAMPLES_MAX, type DocumentFault } from '../document-faults';
import { decodeFewAtOnce } from '../few-at-once';
import { findingsIn, type Findings } from '../findings';
import { keep, lengthOf, spanOf, writeSpan, type ByteSpan } from '../byte-span';
import { DocumentCopy } from './document-copy';
import {
  LabeledImageRepository,
  type Annotation,
  type EncodedAnnotation,
  type NewDocument,
  type PlacedDocument,
} from '../labeled-image.repository';

interface DocumentRow {
  readonly labClassIds: number[];
  readonly annotations: Record<string, unknown>[];
}

/** Where a page ends: at an image, with a document or without one. */
interface ImagePlace {
  readonly place: number;
  readonly orderId: number;
}

interface PlacedRow extends ImagePlace {
  readonly mongoId: string | null;
  readonly hasDocument: boolean;
  readonly labClassIds: number[];
  /** JSON. */
  readonly annotations: string;
}

/**
 * Documents are read in pages and not by a cursor, which counts rows only: a thousand documents are a megabyte or fifteen
 * gigabytes. Their stored sizes, mostly compressed, are known without reading them.
 */
const PAGE_BYTES_MAX = 2 ** 18;
const PAGE_IMAGES_MAX = 250;

const INTO = 'labeled_image (task_id, id, img_id, img_roi_id, lab_class_ids, annotations)';

/** Documents in PostgreSQL, written in the transaction of the rows: what is not committed was never there. */
@Injectable()
export class PostgresLabeledImageRepository extends LabeledImageRepository {
  override readonly canWriteLate = false;

  override copy(
    manager: EntityManager,
    plan: CopyPlan,
    labelClasses: readonly CopiedLabelClass[],
    slices: AsyncGenerator<CopySlice>,
  ): Promise<number> {
    return new DocumentCopy(manager, plan, labelClasses).run(slices);
  }

  override async insert(manager: EntityManager, taskId: string, rows: RowQuery): Promise<void> {
    await manager.query(
      `INSERT INTO labeled_image (task_id, id, img_id, img_roi_id, lab_class_ids, annotations)
       SELECT $1::bigint, id, img_id, img_roi_id, lab_class_ids, annotations
       FROM (${rows.sql}) AS document (id, img_id, img_roi_id, lab_class_ids, annotations)`,
      [taskId, ...rows.parameters],
    );
  }

  override prepare(annotation: object): ByteSpan {
    return keep(spanOf(Buffer.from(escapeText(JSON.stringify(annotation)))));
  }

  override prepareEncoded({ json }: EncodedAnnotation): ByteSpan {
    return keep(json); // nothing to be escaped in it
  }

  override async insertBatches(
    { queryRunner }: EntityManager,
    taskId: string,
    batches: AsyncGenerator<readonly NewDocument[]>,
  ): Promise<void> {
    const writes = new OneInFlight();
    const connection = queryRunner!; // a transaction has one
    try {
      for await (const batch of batches) {
        const lines = encodeLines(taskId, batch);
        await writes.start(() => copyText(connection, INTO, lines));
      }
    } catch (fault) {
      await writes.ended().catch(throwUnlessAborted);
      throw fault;
    }
    await writes.ended();
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

  override async *stream({ manager }: QueryRunner, taskId: string): AsyncGenerator<PlacedDocument[]> {
    let last: ImagePlace | undefined = { place: 0, orderId: 0 };
    while (last) {
      const rows: PlacedRow[] = await this.page(manager, taskId, last);
      const documents = rows.filter(({ mongoId }) => mongoId !== null);
      yield* decodeFewAtOnce(documents, toPlacedDocument);
      last = rows.at(-1);
    }
  }

  override async inspect({ manager }: QueryRunner, taskId: string): Promise<DocumentFault[]> {
    return manager.query<DocumentFault[]>(
      `SELECT
         kind, count(*)::int AS count,
         (array_agg(id::text ORDER BY order_id) FILTER (WHERE place <= ${String(EXAMPLES_MAX)})) AS images
       FROM (
         SELECT kind, id, order_id, row_number() OVER (PARTITION BY kind ORDER BY order_id) AS place
         FROM (
           SELECT
             image.id, image.order_id,
             CASE
               WHEN document.id IS NULL THEN 'missing'
               WHEN document.img_id <> image.id OR (document.img_roi_id IS NOT NULL AND roi.id IS NULL) THEN 'foreign'
               WHEN NOT document.lab_class_ids <@ known.ids THEN 'unknown_class'
             END AS kind
           FROM image
           CROSS JOIN (
             SELECT coalesce(array_agg(id), '{}') AS ids FROM label_class WHERE task_id = $1::bigint
           ) AS known
           LEFT JOIN labeled_image AS document
             ON document.task_id = image.task_id AND document.id = image.mongo_id
           LEFT JOIN roi_image AS roi ON roi.task_id = image.task_id AND roi.id = document.img_roi_id
           WHERE image.task_id = $1::bigint
             AND image.mongo_id IS NOT NULL
         ) AS judged
         WHERE kind IS NOT NULL
       ) AS fault
       GROUP BY kind
       ORDER BY kind`,
      [taskId],
    );
  }

  override async compare(
    { manager }: QueryRunner,
    { target, source }: { target: string; source: string },
    pairs: RowQuery,
  ): Promise<Findings> {
    const [row] = await manager.query<Findings[]>(
      findingsIn(
        // MATERIALIZED: the planner, where it expects few images, would collect the classes anew for each of them.
        `WITH class AS MATERIALIZED (
           SELECT array_agg(id) AS ids, array_agg(copied_from_id) AS source_ids
           FROM label_class
           WHERE task_id = $1::bigint
         )
         SELECT pair.id, pair.place
         FROM (${pairs.sql}) AS pair (id, place, mongo_id, source_id, source_mongo_id)
         CROSS JOIN class
         LEFT JOIN labeled_image AS document
           ON document.task_id = $1::bigint AND document.id = pair.mongo_id
         LEFT JOIN labeled_image AS original
           ON original.task_id = $2::bigint AND original.id = pair.source_mongo_id
         LEFT JOIN roi_image AS roi ON roi.task_id = $1::bigint AND roi.id = document.img_roi_id
         WHERE (
           document.img_id = pair.id
           AND original.img_id = pair.source_id
           AND (document.img_roi_id IS NULL) = (original.img_roi_id IS NULL)
           AND roi.copied_from_id IS NOT DISTINCT FROM original.img_roi_id
           AND original.lab_class_ids = ARRAY(
             SELECT class.source_ids[array_position(class.ids, id)] FROM unnest(document.lab_class_ids) AS id
           )
           AND document.annotations::text = original.annotations::text
         ) IS NOT TRUE`,
      ),
      [target, source, ...pairs.parameters],
    );
    return row!; // count(*) always answers one row
  }

  /** A row goes in the transaction that takes its pointer away; who reads in an older snapshot still has it. */
  override async retire(
    manager: EntityManager,
    taskId: string,
    { firstId, lastId }: DocumentRange,
  ): Promise<void> {
    await manager.query(
      `DELETE FROM labeled_image
       WHERE task_id = $1::bigint
         AND id BETWEEN $2::text AND $3::text`,
      [taskId, firstId, lastId],
    );
  }

  /** Nothing is ever left behind. */
  override remove(): Promise<number> {
    return Promise.resolve(0);
  }

  /** The next images with their documents: as many as a page takes, and one at least. */
  private page(manager: EntityManager, taskId: string, after: ImagePlace): Promise<PlacedRow[]> {
    return manager.query<PlacedRow[]>(
      `SELECT
         place, order_id AS "orderId", mongo_id AS "mongoId", has_document AS "hasDocument",
         lab_class_ids AS "labClassIds", annotations::text
       FROM (
         SELECT *, sum(bytes) OVER (ORDER BY order_id) - bytes AS bytes_before
         FROM (
           SELECT
             image.*, document.id IS NOT NULL AS has_document, lab_class_ids, annotations,
             coalesce(pg_column_size(annotations), 0) AS bytes
           FROM (
             SELECT task_id, mongo_id, order_id, $3::int + row_number() OVER (ORDER BY order_id)::int AS place
             FROM image
             WHERE task_id = $1::bigint
               AND order_id > $2::int
             ORDER BY order_id
             LIMIT ${String(PAGE_IMAGES_MAX)}
           ) AS image
           LEFT JOIN labeled_image AS document
             ON document.task_id = image.task_id AND document.id = image.mongo_id
         ) AS image
       ) AS image
       WHERE bytes_before < ${String(PAGE_BYTES_MAX)}
       ORDER BY order_id`,
      [taskId, after.orderId, after.place],
    );
  }
}

/** Lines for COPY, in the order of INTO: as strings their annotations would cost the garbage collector a few times. */
function encodeLines(taskId: string, documents: readonly NewDocument[]): Buffer {
  const lines = documents.map(({ id, imageId, roiId, labClassIds, annotations }) => ({
    head: joinFields([taskId, id, imageId, roiId, `{${labClassIds.join(',')}}`, '[']),
    annotations: annotations as readonly ByteSpan[],
  }));
  const bytes = Buffer.allocUnsafe(lines.reduce((sum, line) => sum + lineBytes(line), 0));
  const end = lines.reduce((at, line) => writeLine(bytes, at, line), 0);
  return bytes.subarray(0, end);
}

interface Line {
  /** ASCII, up to the bracket of the list. */
  readonly head: string;
  readonly annotations: readonly ByteSpan[];
}

function lineBytes({ head, annotations }: Line): number {
  return annotations.reduce(
    (sum, annotation) => sum + 1 + lengthOf(annotation),
    head.length + LINE_END.length,
  );
}

function writeLine(bytes: Buffer, begun: number, { head, annotations }: Line): number {
  let at = begun + bytes.write(head, begun, 'latin1');
  let isFirst = true;
  for (const annotation of annotations) {
    if (!isFirst) bytes[at++] = COMMA;
    isFirst = false;
    at = writeSpan(bytes, at, annotation);
  }
  return at + bytes.write(LINE_END, at, 'latin1');
}

const COMMA = 0x2c;
const LINE_END = ']\n';

function toPlacedDocument(row: PlacedRow): PlacedDocument {
  if (!row.hasDocument) throw new Error(`document ${String(row.mongoId)} is not there`);
  const annotations = JSON.parse(row.annotations) as DocumentRow['annotations'];
  return { place: row.place, annotations: toAnnotations({ labClassIds: row.labClassIds, annotations }) };
}

/** Puts the class ids back where they belong: first in each annotation. */
function toAnnotations({ labClassIds, annotations }: DocumentRow): Annotation[] {
  return labClassIds.map((lab_class_id, at) => ({ lab_class_id, ...annotations[at] }));
}
