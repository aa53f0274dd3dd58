import type mongoose from 'mongoose';
import type { Annotation } from '../labeled-image.repository';
import { toJson } from './bson-json';

/** The annotations of a document as the driver has read it. */
export function toAnnotations(document: {
  readonly _id: mongoose.mongo.ObjectId;
  readonly annotations?: unknown;
}): Annotation[] {
  const { _id, annotations } = document;
  // Of a document that was there before: to answer that it has none would be a lie.
  if (!Array.isArray(annotations)) throw new Error(`document ${String(_id)} has no list of annotations`);
  return annotations.map(toJson) as Annotation[];
}
