import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import mongoose from 'mongoose';

/**
 * An annotation document in MongoDB. Never changed once it is written; has more members than these where its maker put
 * them there. The 64-bit ids are BSON int64, whatever else a JavaScript number would become.
 */
@Schema({
  collection: 'labeled_image',
  versionKey: false,
  strict: false,
  // Made at start, before anything reads by it.
  autoIndex: false,
  autoCreate: false,
})
export class LabeledImage {
  /** In our own ones the installation's prefix and a reserved number, so that documents of a copy form a range. */
  @Prop({ type: mongoose.Schema.Types.ObjectId, required: true })
  _id!: mongoose.mongo.ObjectId;

  @Prop({ type: mongoose.Schema.Types.BigInt, required: true })
  task_id!: bigint;

  @Prop({ type: mongoose.Schema.Types.BigInt, required: true })
  img_id!: bigint;

  @Prop({ type: mongoose.Schema.Types.BigInt, default: null })
  img_roi_id!: bigint | null;

  /** `lab_class_id` and whatever else an annotation has. */
  @Prop({ type: [mongoose.Schema.Types.Mixed], required: true })
  annotations!: Record<string, unknown>[];
}

/** Every question is for one task, and mostly for a range of ids. */
export const BY_TASK = { task_id: 1, _id: 1 } as const;

export const LabeledImageSchema = SchemaFactory.createForClass(LabeledImage).index(BY_TASK);

/** Documents by the thousand go through the driver: to hydrate them costs twenty times as much. */
export type DocumentCollection = mongoose.mongo.Collection<LabeledImage>;
