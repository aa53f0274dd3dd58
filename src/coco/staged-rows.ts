/** Rows sent at once: large enough that round trips don't count, small enough to be forgotten soon. */
const BATCH_BYTES = 2 ** 20;

/** Collects rows for one table and sends them in batches; while one is being written, the next is being read. */
export class StagedRows<Row> {
  private rows: Row[] = [];
  private bytes = 0;
  private sent = 0;
  private writing: Promise<void> = Promise.resolve();

  constructor(private readonly write: (firstSeq: number, rows: Row[]) => Promise<void>) {}

  /** A row with a fault is null: the file will not be imported, and where the others stand does not matter any more. */
  add(row: Row | null, bytes: number): void {
    if (row === null) return;
    this.rows.push(row);
    this.bytes += bytes;
  }

  get isFull(): boolean {
    return this.bytes >= BATCH_BYTES;
  }

  /** Resolves when the batch before is in; a fault of this one shows at the next. */
  async send(): Promise<void> {
    await this.writing;
    if (this.rows.length === 0) return;
    this.writing = this.write(this.sent, this.rows);
    this.writing.catch(() => undefined); // seen by whoever waits for it next
    this.sent += this.rows.length;
    this.rows = [];
    this.bytes = 0;
  }

  async finish(): Promise<void> {
    await this.send();
    await this.writing;
  }
}
