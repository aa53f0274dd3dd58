import mongoose from 'mongoose';
import type { Heartbeat } from '../../database/heartbeat';
import type { NewDocument } from '../labeled-image.repository';
import { inLanes } from './in-lanes';
import type { DocumentCollection, LabeledImage } from './labeled-image.schema';
import { WRITE } from './mongo-settings';

const { ObjectId } = mongoose.mongo;

const LANES = 3;

/** Writes documents to MongoDB, a few batches at once. */
export class DocumentInsert {
  constructor(
    private readonly documents: DocumentCollection,
    private readonly taskId: string,
    private readonly heartbeat: Heartbeat,
  ) {}

  async run(batches: AsyncGenerator<readonly NewDocument[]>): Promise<void> {
    const taskId = BigInt(this.taskId);
    await inLanes(LANES, batches, async (batch) => {
      await this.heartbeat.check();
      const documents = batch.map((document) => toStored(taskId, document));
      // Throws for a part that was not written, and for a majority that did not confirm.
      await this.documents.insertMany(documents, { ...WRITE, ordered: false });
    });
  }
}

function toStored(
  task_id: bigint,
  { id, imageId, roiId, labClassIds, annotations }: NewDocument,
): LabeledImage {
  const stored = labClassIds.map((lab_class_id, at) => ({ lab_class_id, ...(annotations[at] as object) }));
  return {
    _id: new ObjectId(id),
    task_id,
    img_id: BigInt(imageId),
    img_roi_id: roiId === null ? null : BigInt(roiId),
    annotations: namesType(annotations) ? (storable(stored) as typeof stored) : stored,
  };
}

/** Whether an object in it has a `_bsontype`: the serializer would take it for one of its own types. */
function namesType(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  // Nearly all that there is are numbers.
  if (Array.isArray(value)) return value.some((item) => typeof item === 'object' && namesType(item));
  return '_bsontype' in value || Object.values(value).some(namesType);
}

/** Of a Map the serializer takes the members only. */
function storable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(storable);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([name, member]) => [name, storable(member)] as const);
  return '_bsontype' in value ? new Map(members) : Object.fromEntries(members);
}
