import mongoose from 'mongoose';
import type { EntityManager } from 'typeorm';
import type { Heartbeat } from '../../database/heartbeat';
import type { RowQuery } from '../../database/row-query';
import { inLanes } from './in-lanes';
import type { DocumentCollection, LabeledImage } from './labeled-image.schema';
import { WRITE } from './mongo-settings';

const { ObjectId } = mongoose.mongo;

const LANES = 3;
/** More are no faster, and 1,000 are 15 MB more of memory. */
const BATCH_DOCUMENTS = 250;
/** Of JSON: as BSON it may be three times as much, and a message takes 48 MB. */
const BATCH_BYTES = 2 ** 22;
/** Rows fetched at once: so few of 15 MB each still have room, and more of a kilobyte are hardly faster. */
const FETCH_ROWS_MAX = 100;
const FETCH_ROWS_FIRST = 10;

interface DocumentRow {
  readonly id: string;
  readonly imageId: string;
  readonly roiId: string | null;
  readonly labClassIds: number[];
  /** JSON. */
  readonly annotations: string;
}

interface Batch {
  readonly documents: LabeledImage[];
  bytes: number;
}

/** Writes the documents that a query in PostgreSQL answers. */
export class DocumentInsert {
  constructor(
    private readonly documents: DocumentCollection,
    private readonly manager: EntityManager,
    private readonly taskId: string,
    private readonly heartbeat: Heartbeat,
  ) {}

  async run(rows: RowQuery): Promise<void> {
    await inLanes(LANES, this.batches(rows), async ({ documents }) => {
      await this.heartbeat.check();
      // Throws for a part that was not written, and for a majority that did not confirm.
      await this.documents.insertMany(documents, { ...WRITE, ordered: false });
    });
  }

  private async *batches(rows: RowQuery): AsyncGenerator<Batch> {
    let batch: Batch = { documents: [], bytes: 0 };
    for await (const fetched of this.fetch(rows)) {
      for (const row of fetched) {
        if (batch.documents.length >= BATCH_DOCUMENTS || batch.bytes + row.annotations.length > BATCH_BYTES) {
          if (batch.documents.length > 0) yield batch;
          batch = { documents: [], bytes: 0 };
        }
        batch.documents.push(toDocument(this.taskId, row));
        batch.bytes += row.annotations.length;
      }
    }
    if (batch.documents.length > 0) yield batch;
  }

  /**
   * By a cursor of SQL, so that the connection is free between two fetches: the heartbeat speaks on it, and the server sees
   * that it is idle when this process stops. Ends with the transaction where it is left early.
   */
  private async *fetch({ sql, parameters }: RowQuery): AsyncGenerator<DocumentRow[]> {
    // All rows are wanted: the planner must not prefer a plan that is quick with the first tenth.
    await this.manager.query('SET LOCAL cursor_tuple_fraction = 1');
    await this.manager.query(
      `DECLARE document_to_insert NO SCROLL CURSOR FOR
       SELECT
         id, img_id AS "imageId", img_roi_id AS "roiId", lab_class_ids AS "labClassIds", annotations::text
       FROM (${sql}) AS document (id, img_id, img_roi_id, lab_class_ids, annotations)
       WHERE $1::bigint IS NOT NULL`,
      [this.taskId, ...parameters],
    );
    let count = FETCH_ROWS_FIRST;
    for (;;) {
      const rows = await this.manager.query<DocumentRow[]>(`FETCH ${String(count)} FROM document_to_insert`);
      if (rows.length > 0) yield rows;
      if (rows.length < count) break;
      count = rowsFor(rows);
    }
    await this.manager.query('CLOSE document_to_insert');
  }
}

/** As many rows of this size as a batch holds. */
function rowsFor(rows: readonly DocumentRow[]): number {
  const bytes = rows.reduce((sum, { annotations }) => sum + annotations.length, 0);
  return Math.max(1, Math.min(FETCH_ROWS_MAX, Math.floor((BATCH_BYTES * rows.length) / bytes)));
}

function toDocument(taskId: string, row: DocumentRow): LabeledImage {
  const rest = JSON.parse(row.annotations) as Record<string, unknown>[];
  const annotations = row.labClassIds.map((lab_class_id, at) => ({ lab_class_id, ...rest[at] }));
  return {
    _id: new ObjectId(row.id),
    task_id: BigInt(taskId),
    img_id: BigInt(row.imageId),
    img_roi_id: row.roiId === null ? null : BigInt(row.roiId),
    annotations: MAY_NAME_A_TYPE.test(row.annotations)
      ? (storable(annotations) as typeof annotations)
      : annotations,
  };
}

/** Or a member whose name is written with escapes. */
const MAY_NAME_A_TYPE = /_bsontype|\\u/;

/** The serializer would take an object with a `_bsontype` for one of its own types; of a Map it takes the members only. */
function storable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(storable);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([name, member]) => [name, storable(member)] as const);
  return '_bsontype' in value ? new Map(members) : Object.fromEntries(members);
}
