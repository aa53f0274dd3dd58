import mongoose from 'mongoose';
import type { DocumentRange } from '../../database/document-range';

const { ObjectId } = mongoose.mongo;

/** The condition on `_id`. ObjectIds compare like their digits. */
export function idsIn({ firstId, lastId }: DocumentRange): {
  $gte: mongoose.mongo.ObjectId;
  $lte: mongoose.mongo.ObjectId;
} {
  return { $gte: new ObjectId(firstId), $lte: new ObjectId(lastId) };
}

/** null for a text that is the id of no document. */
export function toObjectId(id: string): mongoose.mongo.ObjectId | null {
  return /^[0-9a-f]{24}$/i.test(id) ? new ObjectId(id) : null;
}
