import type { OneInFlight } from '../../database/one-in-flight';

/**
 * Rows sent at once, by their text: large enough that round trips don't count, and so small that the rows are gone before
 * the garbage collector has moved them (1 MB took a tenth more time, and 80 MB more memory).
 */
const BATCH_BYTES = 2 ** 17;

/** Collects rows for one table and sends them in batches; while one is being written, the next is being read. */
export class StagedRows<Row> {
  private rows: Row[] = [];
  private bytes = 0;
  private sent = 0;

  constructor(
    private readonly statements: OneInFlight,
    private readonly write: (firstSeq: number, rows: readonly Row[]) => Promise<void>,
  ) {}

  /** A row with a fault is null: the file will not be imported, and where the others stand does not matter any more. */
  add(row: Row | null, bytes: number): void {
    if (row === null) return;
    this.rows.push(row);
    this.bytes += bytes;
  }

  get isFull(): boolean {
    return this.bytes >= BATCH_BYTES;
  }

  /** Resolves when the statement before has ended; a fault of this one shows at the next. */
  async send(): Promise<void> {
    if (this.rows.length === 0) return;
    const [seq, rows] = [this.sent, this.rows];
    this.sent += rows.length;
    this.rows = [];
    this.bytes = 0;
    await this.statements.start(() => this.write(seq, rows));
  }
}
