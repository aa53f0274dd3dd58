import { BSON_TYPES, SIZE_BYTES } from '../annotation-output';

/** In place of a value that is, or holds, what JSON does not know. */
export const NOT_PLAIN = Symbol('not plain');

/** What `toString` makes of bytes that are no UTF-8; that they were this very character is for the driver's reader to tell. */
const REPLACEMENT = '\uFFFD';

/** The driver's bound, too. */
const NUMBER_MAX = 2n ** 53n;

/**
 * Reads BSON into what JSON.stringify writes, without the driver's values in between. Knows the types that JSON has, and
 * int64: one that a number would change is a string. What it finds broken it leaves to the driver, whose faults say more.
 * https://bsonspec.org/spec.html
 */
export class PlainBsonReader {
  private readonly bytes: Buffer;
  private readonly view: DataView;

  /** @param at where a list or an object begins, with its size */
  constructor(
    { buffer, byteOffset, length }: Uint8Array,
    private at: number,
  ) {
    this.bytes = Buffer.from(buffer, byteOffset, length);
    this.view = new DataView(buffer, byteOffset, length);
  }

  list(): unknown[] | typeof NOT_PLAIN {
    const values: unknown[] = [];
    const last = this.lastByte();
    while (this.at < last) {
      const type = this.byte();
      this.skipName();
      const value = this.value(type);
      if (value === NOT_PLAIN) return NOT_PLAIN;
      values.push(value);
    }
    return this.endsAt(last) ? values : NOT_PLAIN;
  }

  private object(): Record<string, unknown> | typeof NOT_PLAIN {
    const members: Record<string, unknown> = {};
    const last = this.lastByte();
    while (this.at < last) {
      const type = this.byte();
      const name = this.name();
      const value = this.value(type);
      // To assign that one would not make a member of it.
      if (value === NOT_PLAIN || name === '__proto__') return NOT_PLAIN;
      members[name] = value;
    }
    return this.endsAt(last) ? members : NOT_PLAIN;
  }

  private value(type: number | undefined): unknown {
    switch (type) {
      case BSON_TYPES.double:
        return this.double();
      case BSON_TYPES.int32:
        this.at += 4;
        return this.view.getInt32(this.at - 4, true);
      case BSON_TYPES.list:
        return this.list();
      case BSON_TYPES.text:
        return this.text();
      case BSON_TYPES.object:
        return this.object();
      case BSON_TYPES.int64:
        return this.int64();
      case BSON_TYPES.boolean:
        return this.byte() === 1;
      case BSON_TYPES.null:
        return null;
      default:
        return NOT_PLAIN;
    }
  }

  private double(): number | typeof NOT_PLAIN {
    const value = this.view.getFloat64(this.at, true);
    this.at += 8;
    return Number.isFinite(value) ? value : NOT_PLAIN;
  }

  private int64(): number | string {
    const value = this.view.getBigInt64(this.at, true);
    this.at += 8;
    return -NUMBER_MAX <= value && value <= NUMBER_MAX ? Number(value) : String(value);
  }

  private text(): string | typeof NOT_PLAIN {
    const size = this.view.getInt32(this.at, true);
    if (size < 1) return NOT_PLAIN;
    const begun = this.at + SIZE_BYTES;
    this.at = begun + size;
    const text = this.bytes.toString('utf8', begun, this.at - 1);
    return text.includes(REPLACEMENT) ? NOT_PLAIN : text;
  }

  private name(): string {
    const begun = this.at;
    this.skipName();
    return this.bytes.toString('utf8', begun, this.at - 1);
  }

  private skipName(): void {
    while (this.byte()); // ends with the bytes, too
  }

  private byte(): number | undefined {
    return this.bytes[this.at++];
  }

  private endsAt(last: number): boolean {
    return this.at === last && this.byte() === 0;
  }

  /** Of what begins here: a zero. */
  private lastByte(): number {
    const last = this.at + this.view.getInt32(this.at, true) - 1;
    this.at += SIZE_BYTES;
    return last;
  }
}
