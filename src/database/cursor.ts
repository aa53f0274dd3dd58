import Cursor from 'pg-cursor';
import type { Client, PoolClient } from 'pg';
import type { QueryRunner } from 'typeorm';

/**
 * Rows fetched at once. As text they stay below 128 KB with usual names; beyond that V8 keeps a string until it collects all
 * of the heap: with 2,000 rows an answer of 36 MB took 160 MB, with these 125, and up to a tenth longer (decision 0012).
 */
const BATCH_ROWS = 250;
/** The same for rows that may be large. */
export const BATCH_ROWS_LARGE = 100;

/**
 * Reads a result of any size in batches; what is not asked for stays in the server. While the reader has one batch the next
 * is fetched already, unless rows may be large. Ends the cursor when the reader stops early, so that the connection can be
 * used again.
 */
export async function* readInBatches<Row>(
  connection: QueryRunner,
  sql: string,
  parameters: readonly unknown[],
  batchRows = BATCH_ROWS,
): AsyncGenerator<Row[]> {
  const client = (await connection.connect()) as PoolClient;
  const loss = new ConnectionLoss(client); // a pooled client is a Client
  const cursor = client.query(new Cursor<Row>(sql, [...parameters]));
  const fetch = (): Promise<Row[]> => {
    const batch = loss.or(cursor.read(batchRows));
    // Who reads it is told; who has stopped before does not want to know.
    batch.catch(() => undefined);
    return batch;
  };
  let ahead: Promise<Row[]> | undefined;
  try {
    for (;;) {
      const rows = await (ahead ?? fetch());
      const isLast = rows.length < batchRows;
      ahead = isLast || batchRows <= BATCH_ROWS_LARGE ? undefined : fetch();
      if (rows.length > 0) yield rows;
      if (isLast) return;
    }
  } finally {
    await ahead?.catch(() => undefined);
    await loss.or(cursor.close());
    loss.forget();
  }
}

/** pg-cursor waits for ever for an answer from a connection that ends at the wrong moment. */
class ConnectionLoss {
  private loss: Error | undefined;
  private readonly waiting = new Set<(loss: Error) => void>();
  private readonly onEnd = (): void => {
    this.loss = new Error('Connection terminated while rows were read');
    for (const reject of this.waiting) reject(this.loss);
  };

  constructor(private readonly client: Client) {
    client.once('end', this.onEnd);
  }

  /** Not by Promise.race: a promise that lives on keeps every answer that it was ever raced with. */
  or<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.loss) reject(this.loss);
      this.waiting.add(reject);
      answer.then(resolve, reject).finally(() => this.waiting.delete(reject));
    });
  }

  forget(): void {
    this.client.off('end', this.onEnd);
  }
}
