import type { EntityManager } from 'typeorm';
import type { IdSpan } from './id-run';

/** A gap longer than this ends a run: a shorter one is cheaper kept, a number wasted for each id of the gap. */
const GAP_MAX = 1_000;

/**
 * The spans that the ids of so many rows of a task lie in, the first and the last id being known. All images of a task are
 * made at once by one import or copy, so that there is one span; rows from elsewhere may be scattered, and become as many
 * as they need.
 */
export async function idSpans(
  manager: EntityManager,
  table: 'image' | 'roi_image',
  taskId: string,
  count: number,
  first: string | null,
  last: string | null,
): Promise<IdSpan[]> {
  if (first === null || last === null) return [];
  const [firstId, lastId] = [BigInt(first), BigInt(last)];
  // Looking for gaps, which are rarely there, costs ten times as much as counting did.
  if (lastId - firstId < 2n * BigInt(count)) return [{ firstId, lastId }];
  const rows = await manager.query<{ first_id: string; last_id: string }[]>(
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
  return rows.map((row) => ({ firstId: BigInt(row.first_id), lastId: BigInt(row.last_id) }));
}
