import Cursor from 'pg-cursor';
import type { PoolClient } from 'pg';
import type { QueryRunner } from 'typeorm';

/** Rows fetched at once: within noise from 500 to 5,000, and few enough that a slow reader holds little. */
const BATCH_ROWS = 2_000;

/**
 * Reads a result of any size in batches; what is not asked for stays in the server. Ends the cursor when the reader
 * stops early, so that the connection can be used again.
 */
export async function* readInBatches<Row>(
  connection: QueryRunner,
  sql: string,
  parameters: readonly unknown[],
): AsyncGenerator<Row[]> {
  const client = (await connection.connect()) as PoolClient;
  const cursor = client.query(new Cursor<Row>(sql, [...parameters]));
  try {
    for (;;) {
      const rows = await cursor.read(BATCH_ROWS);
      if (rows.length > 0) yield rows;
      if (rows.length < BATCH_ROWS) return;
    }
  } finally {
    await cursor.close();
  }
}
