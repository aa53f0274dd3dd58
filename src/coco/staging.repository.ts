import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { RowQuery } from '../database/row-query';
import { DOCUMENT_BYTES_MAX } from '../labeled-images/annotation-rules';
import type { CocoAnnotation, CocoCategory, CocoImage } from './coco-elements';
import { PALETTE } from './palette';
import type { DataSetFault } from './data-set-faults';
import { EXAMPLES_MAX, type ImportDirt } from './import-report';

/** Beside its members, what an annotation takes in a document: its name in the list, and `lab_class_id` as an int32. */
const ANNOTATION_BYTES = 28;
/** What a document takes beside its annotations, with room. */
const DOCUMENT_BYTES = 200;

/** Something that only the whole file shows, as often as it is there; `at` names the first few. */
export interface Finding<Kind> {
  readonly kind: Kind;
  readonly count: number;
  readonly at: string[];
}

/**
 * A data set on its way in: temporary tables of one connection, in which the file's own ids are resolved and its
 * annotations grouped by image. They take no lock that others see, and go with the connection's return to the pool.
 */
@Injectable()
export class StagingRepository {
  async create(manager: EntityManager): Promise<void> {
    await manager.query(`
      CREATE TEMPORARY TABLE staged_image (
        seq int, key text COLLATE "C", name text, width int, height int, set_type smallint, state text, order_id int,
        roi_x int, roi_y int, roi_width int, roi_height int, extra text
      );
      CREATE TEMPORARY TABLE staged_category (seq int, key text COLLATE "C", name text, color text, extra text);
      CREATE TEMPORARY TABLE staged_annotation (
        seq int, key text COLLATE "C", image_key text COLLATE "C", category_key text COLLATE "C", rest text, bson_bytes int
      )`);
  }

  async addImages(manager: EntityManager, firstSeq: number, images: readonly CocoImage[]): Promise<void> {
    await manager.query(
      `INSERT INTO staged_image
       SELECT $1::int + ordinality - 1, key, name, width, height, set_type, state, order_id, x, y, w, h, extra
       FROM unnest(
         $2::text[], $3::text[], $4::int[], $5::int[], $6::smallint[], $7::text[], $8::int[],
         $9::int[], $10::int[], $11::int[], $12::int[], $13::text[]
       ) WITH ORDINALITY AS image (key, name, width, height, set_type, state, order_id, x, y, w, h, extra, ordinality)`,
      [
        firstSeq,
        images.map(({ key }) => key),
        images.map(({ name }) => name),
        images.map(({ width }) => width),
        images.map(({ height }) => height),
        images.map(({ setType }) => setType),
        images.map(({ state }) => state),
        images.map(({ orderId }) => orderId),
        ...[0, 1, 2, 3].map((at) => images.map(({ roi }) => roi?.[at] ?? null)),
        images.map(({ extra }) => extra),
      ],
    );
  }

  async addCategories(
    manager: EntityManager,
    firstSeq: number,
    categories: readonly CocoCategory[],
  ): Promise<void> {
    await manager.query(
      `INSERT INTO staged_category
       SELECT $1::int + ordinality - 1, key, name, color, extra
       FROM unnest($2::text[], $3::text[], $4::text[], $5::text[])
         WITH ORDINALITY AS category (key, name, color, extra, ordinality)`,
      [
        firstSeq,
        categories.map(({ key }) => key),
        categories.map(({ name }) => name),
        categories.map(({ color }) => color),
        categories.map(({ extra }) => extra),
      ],
    );
  }

  async addAnnotations(
    manager: EntityManager,
    firstSeq: number,
    annotations: readonly CocoAnnotation[],
  ): Promise<void> {
    await manager.query(
      `INSERT INTO staged_annotation
       SELECT $1::int + ordinality - 1, key, image_key, category_key, rest, bson_bytes
       FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::int[])
         WITH ORDINALITY AS annotation (key, image_key, category_key, rest, bson_bytes, ordinality)`,
      [
        firstSeq,
        annotations.map(({ key }) => key),
        annotations.map(({ imageKey }) => imageKey),
        annotations.map(({ categoryKey }) => categoryKey),
        annotations.map(({ rest }) => rest),
        annotations.map(({ bsonBytes }) => bsonBytes),
      ],
    );
  }

  /** Once everything is in: temporary tables have no statistics of their own accord. */
  async analyze(manager: EntityManager): Promise<void> {
    await manager.query(`ANALYZE staged_image, staged_category, staged_annotation`);
  }

  async findFaults(manager: EntityManager): Promise<Finding<DataSetFault>[]> {
    return findAll<DataSetFault>(manager, [
      ['DUPLICATE_IMAGE_ID', duplicates('staged_image', 'key')],
      ['DUPLICATE_CATEGORY_ID', duplicates('staged_category', 'key')],
      ['DUPLICATE_ORDER_ID', duplicates('staged_image', 'order_id')],
      [
        'ORDER_ID_ON_SOME',
        `SELECT format('images[%s] (id %s)', seq, key) AS at
         FROM staged_image
         WHERE order_id IS NULL
           AND EXISTS (SELECT FROM staged_image WHERE order_id IS NOT NULL)`,
      ],
      ['UNKNOWN_IMAGE', unresolved('image_key', 'staged_image')],
      ['UNKNOWN_CATEGORY', unresolved('category_key', 'staged_category')],
      [
        'DOCUMENT_TOO_LARGE',
        `SELECT format('image %s (%s)', image.key, image.name) AS at
         FROM staged_image AS image
         JOIN staged_annotation AS annotation ON annotation.image_key = image.key
         GROUP BY image.key, image.name
         HAVING sum(annotation.bson_bytes + ${String(ANNOTATION_BYTES)})
           > ${String(DOCUMENT_BYTES_MAX - DOCUMENT_BYTES)}`,
      ],
    ]);
  }

  async findDirt(manager: EntityManager): Promise<Finding<ImportDirt>[]> {
    return findAll<ImportDirt>(manager, [
      ['duplicate_annotation_id', duplicates('staged_annotation', 'key')],
      ['duplicate_category_name', duplicates('staged_category', 'name')],
      [
        'unused_category',
        `SELECT name AS at
         FROM staged_category AS category
         WHERE NOT EXISTS (SELECT FROM staged_annotation WHERE category_key = category.key)`,
      ],
    ]);
  }

  async count(manager: EntityManager): Promise<{ images: number; rois: number; annotations: number; categories: number }> {
    const [row] = await manager.query<{ images: number; rois: number; annotations: number; categories: number }[]>(
      `SELECT
         (SELECT count(*)::int FROM staged_image) AS images,
         (SELECT count(roi_x)::int FROM staged_image) AS rois,
         (SELECT count(*)::int FROM staged_annotation) AS annotations,
         (SELECT count(*)::int FROM staged_category) AS categories`,
    );
    return row!; // a SELECT without FROM always answers one row
  }

  /** Gives every image its ids: images, then documents, then ROIs from `firstId` on, in the images' order. */
  async placeImages(manager: EntityManager, firstId: bigint, images: number): Promise<void> {
    await manager.query(
      `CREATE TEMPORARY TABLE placed_image AS
       SELECT seq, key, state, order_id, ${String(firstId)} + place - 1 AS id,
         CASE WHEN state IS NOT NULL THEN ${String(firstId)} + ${String(images)} + place - 1 END AS document_number,
         CASE WHEN has_roi THEN ${String(firstId)} + 2 * ${String(images)} + roi_place - 1 END AS roi_id
       FROM (
         SELECT
           seq, key, coalesce(order_id, seq + 1) AS order_id, roi_x IS NOT NULL AS has_roi,
           coalesce(state, CASE WHEN EXISTS (
             SELECT FROM staged_annotation WHERE image_key = image.key
           ) THEN '已标注' END) AS state,
           row_number() OVER (ORDER BY coalesce(order_id, seq)) AS place,
           count(roi_x) OVER (ORDER BY coalesce(order_id, seq) ROWS UNBOUNDED PRECEDING) AS roi_place
         FROM staged_image AS image
       ) AS image`,
    );
    await manager.query(`ANALYZE placed_image`);
  }

  /** Rows for `LabelClassRepository.insert`. */
  labelClasses(): RowQuery {
    return {
      sql: `SELECT name, coalesce(color, ($2::text[])[1 + seq % cardinality($2::text[])]), seq + 1, extra::json
            FROM staged_category
            ORDER BY seq`,
      parameters: [PALETTE],
    };
  }

  /** Rows for `ImageRepository.insert`. */
  images(documentPrefix: string): RowQuery {
    return {
      sql: `SELECT placed.id, set_type, name, width, height, placed.state, placed.order_id,
              $2::text || placed.document_number, extra::json
            FROM staged_image
            JOIN placed_image AS placed USING (seq)
            ORDER BY placed.id`,
      parameters: [documentPrefix],
    };
  }

  /** Rows for `RoiImageRepository.insert`. */
  rois(): RowQuery {
    return {
      sql: `SELECT placed.roi_id, placed.id, roi_x, roi_y, roi_width, roi_height
            FROM staged_image
            JOIN placed_image AS placed USING (seq)
            WHERE placed.roi_id IS NOT NULL
            ORDER BY placed.roi_id`,
      parameters: [],
    };
  }

  /** Rows for `LabeledImageRepository.insert`: the classes are in already, each at the place of its category. */
  documents(taskId: string, documentPrefix: string): RowQuery {
    return {
      sql: `SELECT
              $2::text || placed.document_number, placed.id, placed.roi_id,
              coalesce(array_agg(class.id ORDER BY annotation.seq) FILTER (WHERE annotation.seq IS NOT NULL), '{}'),
              '[' || coalesce(string_agg(annotation.rest, ',' ORDER BY annotation.seq), '') || ']'
            FROM placed_image AS placed
            LEFT JOIN staged_annotation AS annotation ON annotation.image_key = placed.key
            LEFT JOIN staged_category AS category ON category.key = annotation.category_key
            LEFT JOIN label_class AS class ON class.task_id = $3::bigint AND class.order_id = category.seq + 1
            WHERE placed.document_number IS NOT NULL
            GROUP BY placed.id, placed.document_number, placed.roi_id
            ORDER BY placed.id`,
      parameters: [documentPrefix, taskId],
    };
  }
}

function duplicates(table: string, column: string): string {
  return `SELECT ${column}::text AS at
          FROM ${table}
          WHERE ${column} IS NOT NULL
          GROUP BY ${column}
          HAVING count(*) > 1`;
}

function unresolved(column: string, table: string): string {
  return `SELECT format('annotations[%s] (%s %s)', seq, '${column.replace('_key', '_id')}', ${column}) AS at
          FROM staged_annotation AS annotation
          WHERE NOT EXISTS (SELECT FROM ${table} AS owner WHERE owner.key = annotation.${column})`;
}

async function findAll<Kind>(manager: EntityManager, looks: [kind: Kind, sql: string][]): Promise<Finding<Kind>[]> {
  const findings: Finding<Kind>[] = [];
  for (const [kind, sql] of looks) {
    const [found] = await manager.query<{ count: number; at: string[] }[]>(
      `SELECT count(*)::int AS count, (array_agg(at))[1:${String(EXAMPLES_MAX)}] AS at
       FROM (${sql}) AS finding
       HAVING count(*) > 0`,
    );
    if (found) findings.push({ kind, ...found });
  }
  return findings;
}
