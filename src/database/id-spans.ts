import type { EntityManager } from 'typeorm';
import type { IdSpan } from './id-run';

/** A gap longer than this ends a run: a shorter one is cheaper kept, a number wasted for each id of the gap. */
const GAP_MAX = 1_000;

/**
 * The spans that the ids of a task's rows lie in, and how many rows there are. All images of a task are made at once by
 * one import or copy, so that there is one span; rows from elsewhere may be scattered, and become as many as they need.
 */
export async function idSpans(
  manager: EntityManager,
  table: 'image' | 'roi_image',
  taskId: string,
): Promise<{ count: number; spans: IdSpan[] }> {
  const [whole] = await manager.query<SpanRow[]>(
    `SELECT count(*)::int AS count, min(id) AS first_id, max(id) AS last_id
     FROM ${table}
     WHERE task_id = $1::bigint`,
    [taskId],
  );
  if (!whole || whole.count === 0) return { count: 0, spans: [] };
  const span = toSpan(whole);
  // Counting costs a tenth of looking for gaps, which are rarely there.
  if (span.lastId - span.firstId < 2n * BigInt(whole.count)) return { count: whole.count, spans: [span] };
  return { count: whole.count, spans: await findSpans(manager, table, taskId) };
}

async function findSpans(manager: EntityManager, table: string, taskId: string): Promise<IdSpan[]> {
  const rows = await manager.query<SpanRow[]>(
    `SELECT min(id) AS first_id, max(id) AS last_id
     FROM (
       SELECT id, count(*) FILTER (WHERE after_gap) OVER (ORDER BY id) AS span
       FROM (
         SELECT id, id - lag(id) OVER (ORDER BY id) > $2::bigint AS after_gap
         FROM ${table}
         WHERE task_id = $1::bigint
       ) AS neighbour
     ) AS member
     GROUP BY span
     ORDER BY first_id`,
    [taskId, GAP_MAX],
  );
  return rows.map(toSpan);
}

interface SpanRow {
  count: number;
  first_id: string;
  last_id: string;
}

function toSpan(row: SpanRow): IdSpan {
  return { firstId: BigInt(row.first_id), lastId: BigInt(row.last_id) };
}
