const EMPTY = Buffer.alloc(0);
/** A buffer that has grown beyond this is not kept for the next text. */
const KEPT_BYTES_MAX = 2 ** 20;

/**
 * The beginning of a text whose end is in a later chunk. It is copied into one buffer that doubles, because a list of
 * chunks would keep each of them alive, and a sender may cut a text into chunks of one byte.
 */
export class HeldBytes {
  private buffer = EMPTY;
  private length = 0;

  get bytes(): Buffer {
    return this.buffer.subarray(0, this.length);
  }

  append(bytes: Buffer): void {
    const length = this.length + bytes.length;
    if (length > this.buffer.length) this.grow(length);
    bytes.copy(this.buffer, this.length);
    this.length = length;
  }

  /** All bytes with the last ones, which are only copied where others are held; valid until the next call. */
  joinedWith(last: Buffer): Buffer {
    if (this.length === 0) return last;
    this.append(last);
    return this.bytes;
  }

  clear(): void {
    this.length = 0;
    if (this.buffer.length > KEPT_BYTES_MAX) this.buffer = EMPTY;
  }

  get size(): number {
    return this.length;
  }

  private grow(length: number): void {
    const grown = Buffer.allocUnsafe(Math.max(length, 2 * this.buffer.length));
    this.bytes.copy(grown);
    this.buffer = grown;
  }
}
