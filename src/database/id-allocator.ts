import type { EntityManager } from 'typeorm';

/**
 * Reserves `count` consecutive ids, `yyyymmdd * 10^11 + number`, and answers the first. Called outside of a long transaction,
 * so that it commits soon: a reserved number is used or lost, never handed out twice, and nobody waits for the counter
 * while a copy runs. The date is the database's, in UTC, and read with the counter's row locked, so that ids only grow.
 */
export async function reserveIds(manager: EntityManager, count: number): Promise<bigint> {
  const [row] = await manager.query<{ first_id: string }[]>(
    `WITH reserved AS (
       UPDATE id_counter
       SET last_number = last_number + $1::bigint
       RETURNING last_number
     )
     SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYYMMDD')::bigint * 100000000000
       + last_number - $1::bigint + 1 AS first_id
     FROM reserved`,
    [count],
  );
  if (!row) throw new Error('id_counter has lost its row');
  return BigInt(row.first_id);
}
