import { Injectable } from '@nestjs/common';
import type { EntityManager, QueryRunner } from 'typeorm';
import { copyRows } from '../database/copy-rows';
import type { RowQuery } from '../database/row-query';
import { DOCUMENT_BYTES_MAX, DOCUMENT_HEAD_BYTES } from '../labeled-images/annotation-rules';
import type { AnnotationGroup } from './annotation-groups';
import type { CocoCategory, CocoImage } from './coco-elements';
import { PALETTE } from './palette';
import type { DataSetFault } from './data-set-faults';
import { EXAMPLES_MAX, type ImportDirt } from './import-report';

/** The four columns of a ROI of an image without one. */
const NO_ROI = [null, null, null, null];

/** Something that only the whole file shows, as often as it is there; `at` names the first few. */
export interface Finding<Kind> {
  readonly kind: Kind;
  readonly count: number;
  readonly at: string[];
}

export interface StagedCounts {
  readonly images: number;
  readonly rois: number;
  readonly annotations: number;
  readonly categories: number;
}

/**
 * A data set on its way in: temporary tables of one connection, in which the file's own ids are resolved and its
 * annotations grouped by image. They take no lock that others see, and go with the connection's return to the pool.
 */
@Injectable()
export class StagingRepository {
  async create(manager: EntityManager): Promise<void> {
    // Enough to group the ids of a million annotations in memory: a tenth of the time of a file of 300 MB. TaskLock resets it.
    await manager.query(`
      SET work_mem = '64MB';
      CREATE TEMPORARY TABLE staged_image (
        seq int, key text COLLATE "C", name text, width int, height int, set_type smallint, state text, order_id int,
        roi_x int, roi_y int, roi_width int, roi_height int, extra json
      );
      CREATE TEMPORARY TABLE staged_category (seq int, key text COLLATE "C", name text, color text, extra json);
      CREATE TEMPORARY TABLE staged_group (
        seq int, image_key text COLLATE "C", annotations int, keys text COLLATE "C", category_keys text COLLATE "C",
        bson_bytes bigint, rests json
      );
      -- To compress what is read once would take longer than to write it.
      ALTER TABLE staged_group ALTER COLUMN rests SET STORAGE EXTERNAL`);
  }

  async addImages(connection: QueryRunner, firstSeq: number, images: readonly CocoImage[]): Promise<void> {
    await copyRows(
      connection,
      'staged_image',
      images.map(({ key, name, width, height, setType, state, orderId, roi, extra }, at) => [
        firstSeq + at,
        key,
        name,
        width,
        height,
        setType,
        state,
        orderId,
        ...(roi ?? NO_ROI),
        extra,
      ]),
    );
  }

  async addCategories(
    connection: QueryRunner,
    firstSeq: number,
    categories: readonly CocoCategory[],
  ): Promise<void> {
    await copyRows(
      connection,
      'staged_category',
      categories.map(({ key, name, color, extra }, at) => [firstSeq + at, key, name, color, extra]),
    );
  }

  async addAnnotations(connection: QueryRunner, groups: readonly AnnotationGroup[]): Promise<void> {
    await copyRows(
      connection,
      'staged_group',
      groups.map(({ seq, imageKey, annotations, keys, categoryKeys, bsonBytes, rests }) => [
        seq,
        imageKey,
        annotations,
        keys,
        categoryKeys,
        bsonBytes,
        `[${rests}]`,
      ]),
    );
  }

  /**
   * Once everything is in: what the annotations refer to, collected in one pass each, so that the checks need not go through
   * all annotations again; and statistics, which temporary tables do not get of their own accord.
   */
  async summarize(manager: EntityManager): Promise<void> {
    await manager.query(`
      CREATE TEMPORARY TABLE referred_image AS
      SELECT
        image_key AS key, min(seq) AS seq, count(*) AS groups, sum(annotations) AS annotations,
        sum(bson_bytes) AS bson_bytes
      FROM staged_group
      GROUP BY image_key;
      CREATE TEMPORARY TABLE referred_category AS
      SELECT key, min(seq) AS seq, count(*) AS annotations
      FROM (${keysOfAnnotations('category_keys')}) AS annotation
      GROUP BY key;
      ANALYZE staged_image (key), staged_category (key), staged_group (image_key), referred_image, referred_category`);
  }

  async findFaults(manager: EntityManager): Promise<Finding<DataSetFault>[]> {
    return findAll<DataSetFault>(manager, [
      ['DUPLICATE_IMAGE_ID', duplicates('staged_image', 'key')],
      ['DUPLICATE_CATEGORY_ID', duplicates('staged_category', 'key')],
      ['DUPLICATE_ORDER_ID', duplicates('staged_image', 'order_id')],
      [
        'ORDER_ID_ON_SOME',
        `SELECT seq, format('images[%s] (id %s)', seq, key) AS at, 1 AS times
         FROM staged_image
         WHERE order_id IS NULL
           AND EXISTS (SELECT FROM staged_image WHERE order_id IS NOT NULL)`,
      ],
      ['UNKNOWN_IMAGE', unresolved('image')],
      ['UNKNOWN_CATEGORY', unresolved('category')],
      [
        'DOCUMENT_TOO_LARGE',
        `SELECT image.seq, format('image %s (%s)', image.key, image.name) AS at, 1 AS times
         FROM referred_image AS large
         JOIN staged_image AS image USING (key)
         WHERE large.bson_bytes > ${String(DOCUMENT_BYTES_MAX - DOCUMENT_HEAD_BYTES)}`,
      ],
    ]);
  }

  async findDirt(manager: EntityManager): Promise<Finding<ImportDirt>[]> {
    return findAll<ImportDirt>(manager, [
      ['duplicate_annotation_id', duplicates(`(${keysOfAnnotations('keys')}) AS annotation`, 'key')],
      ['duplicate_category_name', duplicates('staged_category', 'name')],
      [
        'unused_category',
        `SELECT seq, name AS at, 1 AS times
         FROM staged_category AS category
         WHERE NOT EXISTS (SELECT FROM referred_category WHERE key = category.key)`,
      ],
    ]);
  }

  async count(manager: EntityManager): Promise<StagedCounts> {
    const [row] = await manager.query<StagedCounts[]>(
      `SELECT
         (SELECT count(*)::int FROM staged_image) AS images,
         (SELECT count(roi_x)::int FROM staged_image) AS rois,
         (SELECT coalesce(sum(annotations), 0)::int FROM referred_image) AS annotations,
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
           image.seq, key, coalesce(order_id, image.seq + 1) AS order_id, roi_x IS NOT NULL AS has_roi,
           coalesce(state, CASE WHEN referred_image.key IS NOT NULL THEN '已标注' END) AS state,
           row_number() OVER (ORDER BY coalesce(order_id, image.seq)) AS place,
           count(roi_x) OVER (ORDER BY coalesce(order_id, image.seq) ROWS UNBOUNDED PRECEDING) AS roi_place
         FROM staged_image AS image
         LEFT JOIN referred_image USING (key)
       ) AS image`,
    );
    await manager.query(`ANALYZE placed_image`);
  }

  /** Rows for `LabelClassRepository.insert`. */
  labelClasses(): RowQuery {
    return {
      sql: `SELECT name, coalesce(color, ($2::text[])[1 + seq % cardinality($2::text[])]), seq + 1, extra
            FROM staged_category
            ORDER BY seq`,
      parameters: [PALETTE],
    };
  }

  /** Rows for `ImageRepository.insert`. */
  images(documentPrefix: string): RowQuery {
    return {
      sql: `SELECT placed.id, set_type, name, width, height, placed.state, placed.order_id,
              $2::text || placed.document_number, extra
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

  /**
   * Rows for `LabeledImageRepository.insert`: the classes are in already, each at the place of its category. Images whose
   * annotations follow each other in the file need neither sorting nor aggregation.
   */
  documents(taskId: string, documentPrefix: string): RowQuery {
    return {
      sql: `WITH class AS (
              SELECT coalesce(jsonb_object_agg(category.key, class.id), '{}') AS ids
              FROM staged_category AS category
              JOIN label_class AS class ON class.task_id = $3::bigint AND class.order_id = category.seq + 1
            ), part AS NOT MATERIALIZED (
              SELECT
                staged.seq, image_key, groups, rests,
                array_to_string(
                  ARRAY(SELECT (SELECT ids FROM class) ->> unnest(string_to_array(category_keys, E'\\n'))), ','
                ) AS class_ids
              FROM staged_group AS staged
              JOIN referred_image ON referred_image.key = image_key
            )
            SELECT
              $2::text || placed.document_number, placed.id, placed.roi_id,
              ('{' || coalesce(class_ids, '') || '}')::int[], coalesce(rests, '[]')
            FROM placed_image AS placed
            LEFT JOIN (
              SELECT image_key, class_ids, rests
              FROM part
              WHERE groups = 1
              UNION ALL
              SELECT
                image_key, string_agg(class_ids, ',' ORDER BY seq),
                ('[' || string_agg(substr(rests::text, 2, length(rests::text) - 2), ',' ORDER BY seq) || ']')::json
              FROM part
              WHERE groups > 1
              GROUP BY image_key
            ) AS document ON document.image_key = placed.key
            WHERE placed.document_number IS NOT NULL`,
      parameters: [documentPrefix, taskId],
    };
  }
}

/** A SELECT of (seq, key): every annotation with its own id, or with that of its category. */
function keysOfAnnotations(lines: 'keys' | 'category_keys'): string {
  return `SELECT
            seq + generate_series(0, annotations - 1) AS seq,
            unnest(string_to_array(${lines}, E'\\n', '')) AS key
          FROM staged_group`;
}

/** A SELECT of (seq, at, times): what orders the places, the name of the place, and how often it is found there. */
type Look = string;

function duplicates(table: string, column: string): Look {
  return `SELECT min(seq) AS seq, ${column}::text AS at, 1 AS times
          FROM ${table}
          WHERE ${column} IS NOT NULL
          GROUP BY ${column}
          HAVING count(*) > 1`;
}

/** An id that nothing has, where it is referred to first. */
function unresolved(what: 'image' | 'category'): Look {
  return `SELECT seq, format('annotations[%s] (${what}_id %s)', seq, key) AS at, annotations AS times
          FROM referred_${what} AS referred
          WHERE NOT EXISTS (SELECT FROM staged_${what} AS owner WHERE owner.key = referred.key)`;
}

async function findAll<Kind>(
  manager: EntityManager,
  looks: [kind: Kind, look: Look][],
): Promise<Finding<Kind>[]> {
  const findings: Finding<Kind>[] = [];
  for (const [kind, look] of looks) {
    const [found] = await manager.query<{ count: number; at: string[] }[]>(
      `SELECT
         sum(times)::int AS count,
         array_agg(at ORDER BY seq) FILTER (WHERE place <= ${String(EXAMPLES_MAX)}) AS at
       FROM (
         SELECT seq, at, times, row_number() OVER (ORDER BY seq) AS place
         FROM (${look}) AS finding
       ) AS finding
       HAVING count(*) > 0`,
    );
    if (found) findings.push({ kind, ...found });
  }
  return findings;
}
