import mongoose from 'mongoose';
import { BSON_TYPES, SIZE_BYTES } from '../annotation-output';

const { Double, ObjectId } = mongoose.mongo;

interface Decoded {
  readonly value: unknown;
  /** The index behind the last byte. */
  readonly end: number;
}

type Decode = (bson: Buffer, at: number) => Decoded;

const DECODE: Readonly<Record<number, Decode>> = {
  [BSON_TYPES.double]: (bson, at) => ({ value: new Double(bson.readDoubleLE(at)), end: at + 8 }),
  [BSON_TYPES.text]: decodeText,
  [BSON_TYPES.object]: decodeObject,
  [BSON_TYPES.list]: (bson, at) => {
    const { value, end } = decodeObject(bson, at);
    return { value: [...value.values()], end };
  },
  [BSON_TYPES.objectId]: (bson, at) => ({ value: new ObjectId(bson.subarray(at, at + 12)), end: at + 12 }),
  [BSON_TYPES.boolean]: (bson, at) => ({ value: bson[at] === 1, end: at + 1 }),
  [BSON_TYPES.null]: (_, at) => ({ value: null, end: at }),
  [BSON_TYPES.int32]: (bson, at) => ({ value: bson.readInt32LE(at), end: at + 4 }),
  [BSON_TYPES.int64]: (bson, at) => ({ value: bson.readBigInt64LE(at), end: at + 8 }),
};

/**
 * What `encodeDocuments` has written, so that the driver's serializer writes the same again: objects are Maps, for the driver's
 * own reader would take one that names a `$ref` or a `_bsontype` for something else.
 */
export function decodeDocuments(bson: Buffer): Map<string, unknown>[] {
  const documents: Map<string, unknown>[] = [];
  for (let at = 0; at < bson.length;) {
    const { value, end } = decodeObject(bson, at);
    documents.push(value);
    at = end;
  }
  return documents;
}

function decodeObject(bson: Buffer, begun: number): Decoded & { readonly value: Map<string, unknown> } {
  const value = new Map<string, unknown>();
  const last = begun + bson.readInt32LE(begun) - 1;
  let at = begun + SIZE_BYTES;
  while (at < last) {
    const nameEnd = bson.indexOf(0, at + 1);
    const member = DECODE[bson[at]!]!(bson, nameEnd + 1); // no other type is written
    value.set(bson.toString('utf8', at + 1, nameEnd), member.value);
    at = member.end;
  }
  return { value, end: last + 1 };
}

function decodeText(bson: Buffer, at: number): Decoded {
  const begun = at + SIZE_BYTES;
  const end = begun + bson.readInt32LE(at);
  return { value: bson.toString('utf8', begun, end - 1), end };
}
