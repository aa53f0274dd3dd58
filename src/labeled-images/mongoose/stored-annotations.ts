import mongoose from 'mongoose';
import { BSON_TYPES } from '../annotation-output';
import type { Annotation } from '../labeled-image.repository';
import { toJson } from './bson-json';
import type { LabeledImage } from './labeled-image.schema';
import { NOT_PLAIN, PlainBsonReader } from './plain-bson-reader';
import { SECOND_MEMBER_AT } from './raw-documents';

const { BSON } = mongoose.mongo;

/** What is asked for, so that its list begins where it is looked for. */
export const ONLY_ANNOTATIONS = { annotations: 1 } as const;
const LIST_AT = SECOND_MEMBER_AT + 1 + 'annotations\0'.length;

/**
 * The annotations of a document as MongoDB answers it to ONLY_ANNOTATIONS, as values that JSON.stringify writes sensibly.
 * @throws Error where they are no list: to say of a document that was there before that it has none would be a lie
 */
export function readAnnotations(raw: Uint8Array): Annotation[] {
  const plain =
    raw[SECOND_MEMBER_AT] === BSON_TYPES.list ? new PlainBsonReader(raw, LIST_AT).list() : NOT_PLAIN;
  return (plain === NOT_PLAIN ? readByDriver(raw) : plain) as Annotation[];
}

/** Knows all that there is, and takes its time. */
function readByDriver(raw: Uint8Array): unknown[] {
  const { _id, annotations } = BSON.deserialize(raw) as LabeledImage;
  if (!Array.isArray(annotations)) throw new Error(`document ${String(_id)} has no list of annotations`);
  return annotations.map(toJson);
}
