import { Injectable } from '@nestjs/common';
import type { EntityManager, QueryRunner } from 'typeorm';
import { copyRows } from '../../database/copy-rows';
import type { RowQuery } from '../../database/row-query';
import { ANNOTATIONS_BYTES_MAX } from '../../labeled-images/annotation-rules';
import type { AnnotationGroup } from '../reading/annotation-groups';
import type { CocoCategory, CocoImage } from '../reading/coco-elements';
import { PALETTE } from './palette';
import type { DataSetFault } from '../data-set-faults';
import { EXAMPLES_MAX, type Finding, type ImportDirt } from '../import-report';
import type { ImageRows } from '../reading/image-slices';
import type { ReferredCategory } from '../reading/referred-classes';
import type { ReservedIds } from '../reserved-ids';

/** The four columns of a ROI of an image without one. */
const NO_ROI = [null, null, null, null];

/** `rests` are JSON texts. */
export type StagedGroup = Omit<AnnotationGroup, 'rests'> & { readonly rests: readonly string[] };

export interface StagedCounts {
  readonly annotations: number;
  readonly label_classes: number;
}

/** The id that the class of a category is to have. */
export interface ReservedClass {
  readonly key: string;
  readonly id: number;
}

/**
 * A data set on its way in: temporary tables of one connection, in which the file's own ids are resolved and its
 * annotations grouped by image. They take no lock that others see, and go with the connection's return to the pool.
 */
@Injectable()
export class StagingRepository {
  /** Begins anew where there was something. */
  async create(manager: EntityManager): Promise<void> {
    // Enough to group the ids of a million annotations in memory: a tenth of the time of a file of 300 MB. TaskLock resets it.
    await manager.query(`
      DISCARD TEMP;
      SET work_mem = '64MB';
      CREATE TEMPORARY TABLE staged_image (
        seq int, key text COLLATE "C", name text, width int, height int, set_type smallint, state text, order_id int,
        roi_x int, roi_y int, roi_width int, roi_height int, extra json
      );
      CREATE TEMPORARY TABLE staged_category (seq int, key text COLLATE "C", name text, color text, extra json);
      CREATE TEMPORARY TABLE staged_group (
        seq int, image_key text COLLATE "C", annotations int, keys text COLLATE "C", category_keys text COLLATE "C",
        bson_bytes bigint, rests text
      );
      -- To compress what is read once would take longer than to write it.
      ALTER TABLE staged_group ALTER COLUMN rests SET STORAGE EXTERNAL;
      CREATE TEMPORARY TABLE reserved_class (
        key text COLLATE "C" NOT NULL, id int NOT NULL DEFAULT nextval(${CLASS_IDS})
      )`);
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

  async addAnnotations(connection: QueryRunner, groups: readonly StagedGroup[]): Promise<void> {
    await copyRows(
      connection,
      'staged_group',
      groups.map(({ seq, imageKey, keys, categoryKeys, bsonBytes, rests }) => [
        seq,
        imageKey,
        keys.length,
        keys.join('\n'),
        categoryKeys.join('\n'),
        bsonBytes,
        rests.join(','),
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
        image_key AS key, min(seq) AS seq, sum(annotations) AS annotations, sum(bson_bytes) AS bson_bytes
      FROM staged_group
      GROUP BY image_key;
      CREATE TEMPORARY TABLE referred_category AS
      SELECT key, min(seq) AS seq, count(*) AS annotations
      FROM (${keysOfAnnotations('category_keys')}) AS annotation
      GROUP BY key;
      ANALYZE staged_image (key), staged_category (key), staged_group (image_key), referred_image, referred_category`);
  }

  /** The same of annotations that have become documents, whose images are known to be there. */
  async summarizeDocuments(manager: EntityManager, categories: readonly ReferredCategory[]): Promise<void> {
    await manager.query(
      `CREATE TEMPORARY TABLE referred_category AS
       SELECT * FROM unnest($1::text[], $2::int[], $3::int[]) AS referred (key, seq, annotations)`,
      [
        categories.map(({ key }) => key),
        categories.map(({ seq }) => seq),
        categories.map(({ annotations }) => annotations),
      ],
    );
  }

  async findFaults(manager: EntityManager): Promise<Finding<DataSetFault>[]> {
    return findAll(manager, FAULTS);
  }

  /** Those that are possible where the images are in order and all annotations have become documents. */
  async findCategoryFaults(manager: EntityManager): Promise<Finding<DataSetFault>[]> {
    return findAll(
      manager,
      FAULTS.filter(([kind]) => CATEGORY_FAULTS.has(kind)),
    );
  }

  /** `distinctIds`: it is known that no two annotations have the same id. */
  async findDirt(manager: EntityManager, distinctIds: boolean): Promise<Finding<ImportDirt>[]> {
    const annotations = `(${keysOfAnnotations('keys')}) AS annotation`;
    return findAll<ImportDirt>(manager, [
      ...(distinctIds ? [] : [['duplicate_annotation_id', duplicates(annotations, 'key')] as const]),
      ['duplicate_category_name', duplicates('staged_category', 'name')],
      [
        'unused_category',
        `SELECT seq, name AS at, 1 AS times
         FROM staged_category AS category
         WHERE NOT EXISTS (SELECT FROM referred_category WHERE key = category.key)`,
      ],
    ]);
  }

  /** Once everything is in and summarized. */
  async count(manager: EntityManager): Promise<StagedCounts> {
    const [row] = await manager.query<StagedCounts[]>(
      `SELECT
         (SELECT coalesce(sum(annotations), 0)::int FROM referred_category) AS annotations,
         (SELECT count(*)::int FROM staged_category) AS label_classes`,
    );
    return row!; // a SELECT without FROM always answers one row
  }

  /** Gives every image its ids, in the images' order. Once everything is in and summarized. */
  async placeImages(manager: EntityManager, { image, document, roi }: ReservedIds): Promise<void> {
    await manager.query(
      `CREATE TEMPORARY TABLE placed_image AS
       SELECT seq, key, order_id, ${String(image)} + place - 1 AS id, ${String(document)} + place - 1 AS document_number,
         CASE WHEN has_roi THEN ${String(roi)} + roi_place - 1 END AS roi_id
       FROM (
         SELECT
           seq, key, coalesce(order_id, seq + 1) AS order_id, roi_x IS NOT NULL AS has_roi,
           row_number() OVER (ORDER BY coalesce(order_id, seq)) AS place,
           count(roi_x) OVER (ORDER BY coalesce(order_id, seq) ROWS UNBOUNDED PRECEDING) AS roi_place
         FROM staged_image
       ) AS image`,
    );
    await manager.query(`ANALYZE placed_image`);
  }

  /**
   * For `imagesOf` and `roisOf`; and classes that are known get ids in their order, which a copy finds sooner when they
   * follow each other. Not of any number of them: ids are gone for good when the file is refused.
   */
  async prepareSlices(manager: EntityManager): Promise<void> {
    await manager.query(`
      CREATE UNIQUE INDEX ON staged_image (seq);
      INSERT INTO reserved_class (key)
      SELECT key FROM staged_category GROUP BY key ORDER BY min(seq) LIMIT ${String(RESERVED_MAX)}`);
  }

  /** The ids of the classes that these categories become, also of categories that are still to come. */
  async reserveClasses(manager: EntityManager, keys: readonly string[]): Promise<ReservedClass[]> {
    return manager.query<ReservedClass[]>(
      `WITH wanted AS (
         SELECT key FROM unnest($1::text[]) AS wanted (key)
       ), added AS (
         INSERT INTO reserved_class (key)
         SELECT key
         FROM wanted
         WHERE NOT EXISTS (SELECT FROM reserved_class AS class WHERE class.key = wanted.key)
         RETURNING key, id
       )
       SELECT key, id FROM added
       UNION ALL
       SELECT key, id FROM reserved_class JOIN wanted USING (key)`,
      [keys],
    );
  }

  /** Rows for `LabelClassRepository.insert`. */
  labelClasses(): RowQuery {
    return {
      sql: `SELECT
              coalesce(class.id, nextval(${CLASS_IDS})), name,
              coalesce(color, ($2::text[])[1 + seq % cardinality($2::text[])]), seq + 1, extra
            FROM staged_category AS category
            LEFT JOIN reserved_class AS class USING (key)
            ORDER BY seq`,
      parameters: [PALETTE],
    };
  }

  /** Rows for `ImageRepository.insert`, of images that are in order. */
  imagesOf(
    { firstSeq, endSeq, annotated }: ImageRows,
    { image, document, documentPrefix }: ReservedIds,
  ): RowQuery {
    return {
      sql: `SELECT
              $2::bigint + seq, set_type, name, width, height, placed.state, coalesce(order_id, seq + 1),
              CASE WHEN placed.state IS NOT NULL THEN $3::text || ($4::bigint + seq) END, extra
            FROM staged_image AS image
            CROSS JOIN LATERAL (SELECT ${stateIf('get_bit($5::bytea, seq - $6::int) = 1')} AS state) AS placed
            WHERE seq BETWEEN $6::int AND $7::int
            ORDER BY seq`,
      parameters: [image, documentPrefix, document, annotated, firstSeq, endSeq - 1],
    };
  }

  /** Rows for `RoiImageRepository.insert`, of the same. */
  roisOf({ firstSeq, endSeq, firstRoiId }: ImageRows, { image }: ReservedIds): RowQuery {
    return {
      sql: `SELECT
              $2::bigint + row_number() OVER (ORDER BY seq) - 1, $3::bigint + seq, roi_x, roi_y, roi_width, roi_height
            FROM staged_image
            WHERE seq BETWEEN $4::int AND $5::int
              AND roi_x IS NOT NULL
            ORDER BY seq`,
      parameters: [firstRoiId, image, firstSeq, endSeq - 1],
    };
  }

  /** Rows for `ImageRepository.insert`. */
  images(documentPrefix: string): RowQuery {
    return {
      sql: `SELECT placed.id, set_type, name, width, height, ${STATE}, placed.order_id,
              CASE WHEN ${STATE} IS NOT NULL THEN $2::text || placed.document_number END, extra
            FROM staged_image AS image
            JOIN placed_image AS placed USING (seq)
            LEFT JOIN referred_image AS referred ON referred.key = image.key
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

  /** Rows for `LabeledImageRepository.insert`. The classes are in already, each at the place of its category. */
  documents(taskId: string, documentPrefix: string): RowQuery {
    return {
      sql: `WITH class AS (
              SELECT coalesce(jsonb_object_agg(category.key, class.id), '{}') AS ids
              FROM staged_category AS category
              JOIN label_class AS class ON class.task_id = $3::bigint AND class.order_id = category.seq + 1
            )
            SELECT
              $2::text || placed.document_number, placed.id, placed.roi_id,
              ('{' || coalesce(class_ids, '') || '}')::int[], ('[' || coalesce(rests, '') || ']')::json
            FROM placed_image AS placed
            JOIN staged_image AS image USING (seq)
            LEFT JOIN referred_image AS referred ON referred.key = placed.key
            LEFT JOIN (
              SELECT
                image_key, string_agg(rests, ',' ORDER BY seq) AS rests,
                string_agg(
                  array_to_string(
                    ARRAY(SELECT (SELECT ids FROM class) ->> unnest(string_to_array(category_keys, E'\\n'))), ','
                  ), ',' ORDER BY seq
                ) AS class_ids
              FROM staged_group
              GROUP BY image_key
            ) AS document ON document.image_key = placed.key
            WHERE ${STATE} IS NOT NULL`,
      parameters: [documentPrefix, taskId],
    };
  }
}

/** Data sets have tens or thousands of categories. */
const RESERVED_MAX = 10_000;

/** The sequence that `label_class` takes its ids from. */
const CLASS_IDS = `pg_get_serial_sequence('label_class', 'id')`;

/** The state of an `image`, if annotations refer to it or not; it has a document if there is one. */
function stateIf(annotated: string): string {
  return `coalesce(image.state, CASE WHEN ${annotated} THEN '已标注' END)`;
}

/** The same where the annotations are in the tables, too. */
const STATE = stateIf('referred.key IS NOT NULL');

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

const FAULTS: readonly (readonly [kind: DataSetFault, look: Look])[] = [
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
     WHERE large.bson_bytes > ${String(ANNOTATIONS_BYTES_MAX)}`,
  ],
];
const CATEGORY_FAULTS: ReadonlySet<DataSetFault> = new Set(['DUPLICATE_CATEGORY_ID', 'UNKNOWN_CATEGORY']);

async function findAll<Kind>(
  manager: EntityManager,
  looks: readonly (readonly [kind: Kind, look: Look])[],
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
