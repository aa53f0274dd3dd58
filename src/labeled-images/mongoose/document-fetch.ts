import type { EntityManager } from 'typeorm';
import type { RowQuery } from '../../database/row-query';
import type { NewDocument } from '../labeled-image.repository';
import type { ByteSpan } from '../byte-span';
import { encodeAnnotation } from './document-encoding';

/** More are no faster, and 1,000 are 15 MB more of memory. */
const BATCH_DOCUMENTS = 250;
/** Of JSON: as BSON it may be six times as much, and a message takes 48 MB. */
const BATCH_BYTES = 2 ** 22;
/** Rows fetched at once: so few of 15 MB each still have room, and more of a kilobyte are hardly faster. */
const FETCH_ROWS_MAX = 100;
const FETCH_ROWS_FIRST = 10;

interface DocumentRow extends Omit<NewDocument, 'annotations'> {
  /** JSON. */
  readonly annotations: string;
}

/** The documents that a query answers, in batches for MongoDB. */
export async function* fetchDocuments(
  manager: EntityManager,
  taskId: string,
  rows: RowQuery,
): AsyncGenerator<NewDocument[]> {
  let batch: NewDocument[] = [];
  let bytes = 0;
  for await (const fetched of fetchRows(manager, taskId, rows)) {
    for (const row of fetched) {
      if (batch.length >= BATCH_DOCUMENTS || bytes + row.annotations.length > BATCH_BYTES) {
        if (batch.length > 0) yield batch;
        [batch, bytes] = [[], 0];
      }
      batch.push({ ...row, annotations: toPrepared(row.annotations) });
      bytes += row.annotations.length;
    }
  }
  if (batch.length > 0) yield batch;
}

/**
 * By a cursor of SQL, so that the connection is free between two fetches: the heartbeat speaks on it, and the server sees
 * that it is idle when this process stops. Ends with the transaction where it is left early.
 */
async function* fetchRows(
  manager: EntityManager,
  taskId: string,
  { sql, parameters }: RowQuery,
): AsyncGenerator<DocumentRow[]> {
  // All rows are wanted: the planner must not prefer a plan that is quick with the first tenth.
  await manager.query('SET LOCAL cursor_tuple_fraction = 1');
  await manager.query(
    `DECLARE document_to_insert NO SCROLL CURSOR FOR
     SELECT
       id, img_id AS "imageId", img_roi_id AS "roiId", lab_class_ids AS "labClassIds", annotations::text
     FROM (${sql}) AS document (id, img_id, img_roi_id, lab_class_ids, annotations)
     WHERE $1::bigint IS NOT NULL`,
    [taskId, ...parameters],
  );
  let count = FETCH_ROWS_FIRST;
  for (;;) {
    const rows = await manager.query<DocumentRow[]>(`FETCH ${String(count)} FROM document_to_insert`);
    if (rows.length > 0) yield rows;
    if (rows.length < count) break;
    count = rowsFor(rows);
  }
  await manager.query('CLOSE document_to_insert');
}

function toPrepared(annotations: string): ByteSpan[] {
  return (JSON.parse(annotations) as object[]).map(encodeAnnotation);
}

/** As many rows of this size as a batch holds. */
function rowsFor(rows: readonly DocumentRow[]): number {
  const bytes = rows.reduce((sum, { annotations }) => sum + annotations.length, 0);
  return Math.max(1, Math.min(FETCH_ROWS_MAX, Math.floor((BATCH_BYTES * rows.length) / bytes)));
}
