import mongoose from 'mongoose';
import { tokenized, valueOf, type Origin, type Origins, type Variable } from './variables';

type Document = mongoose.mongo.Document;
const { Long, ObjectId } = mongoose.mongo.BSON;

/** What has become of the origins in the duplication that is replayed. */
export type Resolve = (origin: Origin) => string;

/** Makes the same again with the ids of another duplication. Where nothing differs it is handed out as it is. */
export type Template<T> = (resolve: Resolve) => T;

/** @throws where the two differ in more than in numbers and UUIDs, or in one that comes from nowhere */
export function textTemplate(first: string, second: string, origins: Origins): Template<string> {
  if (first === second) return () => first;
  const [one, other] = [tokenized(first), tokenized(second)];
  if (one.between.join('\0') !== other.between.join('\0')) throw differ(first, second);
  const { between } = one;
  const parts = one.tokens.map((token, at): string | Variable => {
    const same = other.tokens[at]!; // there is one between any two pieces
    return token === same ? token : origins.find(token, same);
  });
  return (resolve) =>
    parts.reduce<string>(
      (text, part, at) =>
        text +
        (typeof part === 'string' ? part : valueOf(part, resolve(part.origin))) +
        (between[at + 1] ?? ''),
      between[0] ?? '',
    );
}

/** The same for a value of BSON. */
export function valueTemplate(first: unknown, second: unknown, origins: Origins): Template<unknown> {
  if (isLeaf(first) || isLeaf(second)) return leafTemplate(first, second, origins);
  if (Array.isArray(first) && Array.isArray(second)) {
    if (first.length !== second.length) throw differ(first, second);
    const items = first.map((item, at) => valueTemplate(item, second[at], origins));
    return ifDifferent(first, second, (resolve) => items.map((item) => item(resolve)));
  }
  const [one, other] = [first as Document, second as Document];
  if (Object.keys(one).join('\0') !== Object.keys(other).join('\0')) throw differ(one, other);
  const members = Object.keys(one).map(
    (name) => [name, valueTemplate(one[name], other[name], origins)] as const,
  );
  return ifDifferent(one, other, (resolve) =>
    Object.fromEntries(members.map(([name, member]) => [name, member(resolve)])),
  );
}

/** To build again what is the same each time would make the bare driver slower than it is. */
function ifDifferent(first: unknown, second: unknown, build: Template<unknown>): Template<unknown> {
  return bytesOf(first).equals(bytesOf(second)) ? () => first : build;
}

function bytesOf(value: unknown): Buffer {
  return Buffer.from(mongoose.mongo.BSON.serialize({ value }));
}

function isLeaf(value: unknown): boolean {
  return typeof value !== 'object' || value === null || '_bsontype' in value;
}

function leafTemplate(first: unknown, second: unknown, origins: Origins): Template<unknown> {
  const text = textTemplate(textOf(first), textOf(second), origins);
  if (textOf(first) === textOf(second)) return () => first;
  if (first instanceof Long) return (resolve) => Long.fromString(text(resolve));
  if (first instanceof ObjectId) return (resolve) => ObjectId.createFromHexString(text(resolve));
  if (typeof first === 'string') return text;
  const { constructor: Type } = first as { constructor: new (value: number) => unknown };
  return (resolve) => new Type(Number(text(resolve)));
}

function textOf(value: unknown): string {
  return value instanceof ObjectId ? value.toHexString() : String(value);
}

function differ(first: unknown, second: unknown): Error {
  return new Error(
    `two duplications differ in more than ids: ${JSON.stringify(first)} and ${JSON.stringify(second)}`,
  );
}
