import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import mongoose from 'mongoose';
import type { EntityManager, QueryRunner } from 'typeorm';
import type { CopyPlan, CopySlice } from '../../database/copy-plan';
import type { DocumentRange } from '../../database/document-range';
import { Heartbeat } from '../../database/heartbeat';
import type { RowQuery } from '../../database/row-query';
import type { CopiedLabelClass } from '../../label-classes/label-class.repository';
import type { DocumentFault } from '../document-faults';
import type { Findings } from '../findings';
import { keep, type ByteSpan } from '../byte-span';
import {
  LabeledImageRepository,
  type Annotation,
  type EncodedAnnotation,
  type NewDocument,
  type PlacedDocument,
} from '../labeled-image.repository';
import { ONLY_ANNOTATIONS, readAnnotations } from './stored-annotations';
import { CopyChunks } from './copy-chunks';
import { DocumentComparison } from './document-comparison';
import { DocumentCopy } from './document-copy';
import { idsIn, toObjectId } from './document-ids';
import { fetchDocuments } from './document-fetch';
import { encodeAnnotation } from './document-encoding';
import { DocumentInsert } from './document-insert';
import { DocumentInspection } from './document-inspection';
import { DocumentStream } from './document-stream';
import { BY_TASK, LabeledImage, type DocumentCollection } from './labeled-image.schema';
import { streamWhileMongoIsThere, whileMongoIsThere } from './mongo-faults';
import { READ, WRITE } from './mongo-settings';

/** Removed by one call: a second's work at most. */
const REMOVED_MAX = 5_000;

/**
 * Documents in MongoDB, outside the transaction of the rows: they are there before the commit that makes them reachable,
 * and what is not committed is swept.
 */
@Injectable()
export class MongooseLabeledImageRepository extends LabeledImageRepository {
  /** mongod goes on with a statement whose client has died, and a stopped process may wake. */
  override readonly canWriteLate = true;

  private readonly documents: DocumentCollection;

  constructor(@InjectModel(LabeledImage.name) model: mongoose.Model<LabeledImage>) {
    super();
    this.documents = model.collection as unknown as DocumentCollection; // Mongoose's wrapper has all methods of the driver's
  }

  override copy(
    manager: EntityManager,
    plan: CopyPlan,
    labelClasses: readonly CopiedLabelClass[],
    slices: AsyncGenerator<CopySlice>,
  ): Promise<number> {
    const connection = manager.queryRunner!; // a transaction has one
    return whileMongoIsThere(() =>
      Heartbeat.during(connection, (heartbeat) =>
        new DocumentCopy(this.documents, plan, labelClasses, heartbeat).run(
          slices,
          new CopyChunks(manager, plan),
        ),
      ),
    );
  }

  override insert(manager: EntityManager, taskId: string, rows: RowQuery): Promise<void> {
    return this.insertBatches(manager, taskId, fetchDocuments(manager, taskId, rows));
  }

  override prepare(annotation: object): ByteSpan {
    return encodeAnnotation(annotation);
  }

  override prepareEncoded({ bson }: EncodedAnnotation): ByteSpan {
    return keep(bson);
  }

  override insertBatches(
    manager: EntityManager,
    taskId: string,
    batches: AsyncGenerator<readonly NewDocument[]>,
  ): Promise<void> {
    const connection = manager.queryRunner!; // a transaction has one
    return whileMongoIsThere(() =>
      Heartbeat.during(connection, (heartbeat) =>
        new DocumentInsert(this.documents, taskId, heartbeat).run(batches),
      ),
    );
  }

  override async find(_: EntityManager, taskId: string, mongoId: string): Promise<Annotation[] | null> {
    const _id = toObjectId(mongoId);
    if (!_id) return null;
    const document = await whileMongoIsThere(() =>
      this.documents.findOne<Uint8Array>(
        { task_id: BigInt(taskId), _id },
        { ...READ, projection: ONLY_ANNOTATIONS, raw: true },
      ),
    );
    return document && readAnnotations(document);
  }

  override stream({ manager }: QueryRunner, taskId: string): AsyncGenerator<PlacedDocument[]> {
    return streamWhileMongoIsThere(new DocumentStream(this.documents, manager, taskId).read());
  }

  override inspect({ manager }: QueryRunner, taskId: string): Promise<DocumentFault[]> {
    return whileMongoIsThere(() => new DocumentInspection(this.documents, manager, taskId).run());
  }

  override compare(
    { manager }: QueryRunner,
    { target, source }: { target: string; source: string },
    pairs: RowQuery,
  ): Promise<Findings> {
    return whileMongoIsThere(() =>
      new DocumentComparison(this.documents, manager, target, source).run(pairs),
    );
  }

  /** Who reads in an older snapshot still needs the documents: the sweeper removes them when nobody does any more. */
  override retire(): Promise<void> {
    return Promise.resolve();
  }

  override remove(taskId: string, range: DocumentRange): Promise<number> {
    return whileMongoIsThere(async () => {
      const task_id = BigInt(taskId);
      const inRange = { task_id, _id: idsIn(range) };
      // A DELETE has no limit: up to the first document that is too many.
      const [beyond] = await this.documents
        .find(inRange, { ...READ, projection: { _id: 1 }, sort: BY_TASK, skip: REMOVED_MAX, limit: 1 })
        .toArray();
      const batch = beyond ? { task_id, _id: { ...inRange._id, $lt: beyond._id } } : inRange;
      return (await this.documents.deleteMany(batch, WRITE)).deletedCount;
    });
  }
}
