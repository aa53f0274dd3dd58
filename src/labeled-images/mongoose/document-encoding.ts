import mongoose from 'mongoose';
import { BSON_TYPES, CLASS_OFFSET, SIZE_BYTES, writeDigits } from '../annotation-output';
import { keep, lengthOf, spanOf, writeSpan, type ByteSpan } from '../byte-span';
import type { NewDocument } from '../labeled-image.repository';

const { BSON } = mongoose.mongo;

const NAMES = {
  id: Buffer.from('_id\0'),
  taskId: Buffer.from('task_id\0'),
  imageId: Buffer.from('img_id\0'),
  roiId: Buffer.from('img_roi_id\0'),
  annotations: Buffer.from('annotations\0'),
};
/** Of a document beside the annotations in it. */
const HEAD_BYTES_MAX =
  Object.values(NAMES).reduce((bytes, name) => bytes + 1 + name.length, 0) +
  12 + // the ObjectId
  3 * 8 + // the numbers
  2 * (SIZE_BYTES + 1); // document and list
/** Of an annotation beside itself: its type, and its place as text. */
const ELEMENT_BYTES_MAX = 1 + 8 + 1;

/** An annotation in a document: its class, which is 0 until the document is made, stands first. */
export function encodeAnnotation(annotation: object): ByteSpan {
  const members = Object.entries(annotation).map(([name, value]) => [name, storable(value)] as const);
  // An object would have a member first whose name is an index.
  const bson = BSON.serialize(new Map<string, unknown>([['lab_class_id', 0], ...members]));
  return keep(spanOf(Buffer.from(bson.buffer, bson.byteOffset, bson.length)));
}

/** Documents as they are stored, one behind the other; their annotations have been encoded. */
export function encodeDocuments(taskId: bigint, documents: readonly NewDocument[]): Buffer {
  const bytes = Buffer.allocUnsafe(documents.reduce((sum, document) => sum + bytesMax(document), 0));
  const end = documents.reduce((at, document) => writeDocument(bytes, at, taskId, document), 0);
  return bytes.subarray(0, end);
}

function bytesMax({ annotations }: NewDocument): number {
  return (annotations as readonly ByteSpan[]).reduce(
    (sum, annotation) => sum + ELEMENT_BYTES_MAX + lengthOf(annotation),
    HEAD_BYTES_MAX,
  );
}

/** @returns the index behind it, as all that write here */
function writeDocument(bytes: Buffer, begun: number, taskId: bigint, document: NewDocument): number {
  let at = begun + SIZE_BYTES;
  at = writeName(bytes, at, BSON_TYPES.objectId, NAMES.id);
  at += bytes.write(document.id, at, 'hex');
  at = writeInt64(bytes, at, NAMES.taskId, taskId);
  at = writeInt64(bytes, at, NAMES.imageId, BigInt(document.imageId));
  at =
    document.roiId === null
      ? writeName(bytes, at, BSON_TYPES.null, NAMES.roiId)
      : writeInt64(bytes, at, NAMES.roiId, BigInt(document.roiId));
  return writeEnd(bytes, begun, writeAnnotations(bytes, at, document));
}

function writeAnnotations(bytes: Buffer, at: number, { labClassIds, annotations }: NewDocument): number {
  const list = writeName(bytes, at, BSON_TYPES.list, NAMES.annotations);
  let end = list + SIZE_BYTES;
  let place = 0;
  for (const annotation of annotations as readonly ByteSpan[]) {
    bytes[end] = BSON_TYPES.object;
    end = writeDigits(bytes, end + 1, place);
    bytes[end++] = 0;
    const begun = end;
    end = writeSpan(bytes, begun, annotation);
    bytes.writeInt32LE(labClassIds[place++]!, begun + CLASS_OFFSET); // there are as many
  }
  return writeEnd(bytes, list, end);
}

function writeInt64(bytes: Buffer, at: number, name: Buffer, value: bigint): number {
  return bytes.writeBigInt64LE(value, writeName(bytes, at, BSON_TYPES.int64, name));
}

function writeName(bytes: Buffer, at: number, type: number, name: Buffer): number {
  bytes[at] = type;
  return at + 1 + name.copy(bytes, at + 1);
}

/** A document and a list begin with their size, and end with a zero. */
function writeEnd(bytes: Buffer, begun: number, at: number): number {
  bytes[at] = 0;
  bytes.writeInt32LE(at + 1 - begun, begun);
  return at + 1;
}

/** As the serializer stores it as it is: an object that names a `_bsontype` would be taken for one of its own types. */
function storable(value: unknown): unknown {
  return namesType(value) ? asMaps(value) : value;
}

function namesType(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  // Nearly all that there is are numbers.
  if (Array.isArray(value)) return value.some((item) => typeof item === 'object' && namesType(item));
  return '_bsontype' in value || Object.values(value).some(namesType);
}

/** Of a Map the serializer takes the members only. */
function asMaps(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asMaps);
  if (typeof value !== 'object' || value === null) return value;
  return new Map(Object.entries(value).map(([name, member]) => [name, asMaps(member)] as const));
}
