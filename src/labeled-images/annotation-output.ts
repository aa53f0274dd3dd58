import { spanOf, type ByteSpan } from './byte-span';
import type { EncodedAnnotation } from './labeled-image.repository';

/** Those of JSON and of our own references. https://bsonspec.org/spec.html */
export const BSON_TYPES = {
  double: 0x01,
  text: 0x02,
  object: 0x03,
  list: 0x04,
  objectId: 0x07,
  boolean: 0x08,
  null: 0x0a,
  int32: 0x10,
  int64: 0x12,
} as const;
/** With its size an object, a list and a text begin. */
export const SIZE_BYTES = 4;
const CLASS = Buffer.from('\x10lab_class_id\0');
/** Where the class of an annotation is written when it is known: an int32, as the first member. */
export const CLASS_OFFSET = SIZE_BYTES + CLASS.length;
/** What that member takes. */
export const CLASS_BYTES = CLASS.length + 4;

/** Of two bytes of text, a digit in a long list and its comma, BSON makes no more than eleven. */
const BSON_BYTES_MAX = 6;

type WrittenSpan = ByteSpan & { to: number };

const [ZERO, COMMA, COLON, QUOTE] = [0x30, 0x2c, 0x3a, 0x22];

/**
 * Writes an annotation as JSON text and as BSON at the same time, member by member and value by value, and without an object
 * being made of it. Nothing is checked; each method that takes `text` copies its bytes `from` … `to`. Begun anew for each one.
 */
export class AnnotationOutput implements EncodedAnnotation {
  readonly json: WrittenSpan;
  readonly bson: WrittenSpan;
  private readonly jsonBytes: Buffer;
  private readonly bsonBytes: Buffer;
  private readonly view: DataView;
  private jsonEnd = 0;
  private bsonEnd = 0;
  /** Where the type of the value belongs that is written next: before its name. */
  private typeAt = 0;

  /** For annotations whose text is at most so long. */
  constructor(textBytesMax: number) {
    this.jsonBytes = Buffer.alloc(textBytesMax + 2);
    this.bsonBytes = Buffer.alloc(BSON_BYTES_MAX * textBytesMax + SIZE_BYTES + CLASS_BYTES + 1);
    this.view = new DataView(this.bsonBytes.buffer, this.bsonBytes.byteOffset, this.bsonBytes.length);
    CLASS.copy(this.bsonBytes, SIZE_BYTES);
    this.json = spanOf(this.jsonBytes);
    this.bson = spanOf(this.bsonBytes);
  }

  begin(): void {
    this.jsonBytes[0] = 0x7b;
    this.jsonEnd = 1;
    this.bsonEnd = SIZE_BYTES + CLASS_BYTES;
  }

  /** A member begins; its value follows. */
  name(text: Uint8Array, from: number, to: number): void {
    if (this.jsonEnd > 1) this.put(COMMA);
    this.typeAt = this.bsonEnd++;
    this.quote(text, from, to);
    this.put(COLON);
  }

  /** An element of a list begins; its value follows. */
  index(index: number): void {
    if (index > 0) this.put(COMMA);
    this.typeAt = this.bsonEnd++;
    this.bsonEnd = writeDigits(this.bsonBytes, this.bsonEnd, index);
    this.bsonBytes[this.bsonEnd++] = 0;
  }

  /** `value` is what the text says. */
  number(value: number, text: Uint8Array, from: number, to: number): void {
    for (let at = from; at < to; at++) this.put(text[at] ?? 0);
    if ((value | 0) === value) {
      this.bsonBytes[this.typeAt] = BSON_TYPES.int32;
      this.view.setInt32(this.bsonEnd, value, true);
      this.bsonEnd += 4;
    } else {
      this.bsonBytes[this.typeAt] = BSON_TYPES.double;
      this.view.setFloat64(this.bsonEnd, value, true);
      this.bsonEnd += 8;
    }
  }

  /** Without its quotes, and without escapes. */
  text(text: Uint8Array, from: number, to: number): void {
    this.bsonBytes[this.typeAt] = BSON_TYPES.text;
    this.view.setInt32(this.bsonEnd, to - from + 1, true);
    this.bsonEnd += SIZE_BYTES;
    this.quote(text, from, to);
  }

  /** @returns what `endList` has to be given */
  beginList(): number {
    this.bsonBytes[this.typeAt] = BSON_TYPES.list;
    this.put(0x5b);
    const begun = this.bsonEnd;
    this.bsonEnd += SIZE_BYTES;
    return begun;
  }

  endList(begun: number): void {
    this.put(0x5d);
    this.close(begun);
  }

  /** Both forms are complete. */
  end(): void {
    this.put(0x7d);
    this.close(0);
    this.json.to = this.jsonEnd;
    this.bson.to = this.bsonEnd;
  }

  private quote(text: Uint8Array, from: number, to: number): void {
    const { bsonBytes } = this;
    this.put(QUOTE);
    for (let at = from; at < to; at++) {
      const byte = text[at] ?? 0;
      this.put(byte);
      bsonBytes[this.bsonEnd++] = byte;
    }
    this.put(QUOTE);
    bsonBytes[this.bsonEnd++] = 0;
  }

  private put(byte: number): void {
    this.jsonBytes[this.jsonEnd++] = byte;
  }

  private close(begun: number): void {
    this.bsonBytes[this.bsonEnd++] = 0;
    this.view.setInt32(begun, this.bsonEnd - begun, true);
  }
}

/** @returns the index behind the last digit */
export function writeDigits(bytes: Uint8Array, at: number, number: number): number {
  const end = number < 10 ? at : writeDigits(bytes, at, Math.trunc(number / 10));
  bytes[end] = ZERO + (number % 10);
  return end + 1;
}
