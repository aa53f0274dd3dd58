import mongoose from 'mongoose';
import type { EntityManager } from 'typeorm';
import { LabeledImageSchema } from '../src/labeled-images/mongoose/labeled-image.schema';
import { LabeledImage } from '../src/labeled-images/postgres/labeled-image.entity';
import type { Installation } from './installation';

/** The ids that a copied document gets. */
export interface NewReferences {
  readonly id: string;
  readonly taskId: string;
  readonly imageId: string;
  readonly roiId: string | null;
  readonly classIds: ReadonlyMap<number, number>;
}

/** How documents are copied where nobody has thought about it: read, changed and written by the ORM or ODM. */
export interface NaiveDocuments {
  /** One at a time. */
  copyOne(manager: EntityManager, sourceId: string, references: NewReferences): Promise<void>;
  /** So many at a time. */
  copyMany(manager: EntityManager, copies: ReadonlyMap<string, NewReferences>): Promise<void>;
  close(): Promise<void>;
}

export async function naiveDocuments(installation: Installation, source: string): Promise<NaiveDocuments> {
  if (installation.mongodbUri === undefined) return new NaiveRows(source);
  return new NaiveModels(await mongoose.createConnection(installation.mongodbUri).asPromise());
}

class NaiveModels implements NaiveDocuments {
  private readonly model;

  constructor(private readonly connection: mongoose.Connection) {
    this.model = connection.model('LabeledImage', LabeledImageSchema);
  }

  async copyOne(_manager: EntityManager, sourceId: string, references: NewReferences): Promise<void> {
    const document = await this.model.findById(sourceId).orFail();
    await this.model.create(changed(document.toObject(), references));
  }

  async copyMany(_manager: EntityManager, copies: ReadonlyMap<string, NewReferences>): Promise<void> {
    const documents = await this.model.find({ _id: { $in: [...copies.keys()] } });
    await this.model.insertMany(
      // Every one that was asked for by its id is among them.
      documents.map((document) => changed(document.toObject(), copies.get(document._id.toHexString())!)),
    );
  }

  close(): Promise<void> {
    return this.connection.close();
  }
}

function changed(
  document: { annotations: Record<string, unknown>[] },
  { id, taskId, imageId, roiId, classIds }: NewReferences,
): object {
  return {
    ...document,
    _id: new mongoose.Types.ObjectId(id),
    task_id: BigInt(taskId),
    img_id: BigInt(imageId),
    img_roi_id: roiId === null ? null : BigInt(roiId),
    annotations: document.annotations.map((annotation) => ({
      ...annotation,
      lab_class_id: classIds.get(annotation['lab_class_id'] as number),
    })),
  };
}

class NaiveRows implements NaiveDocuments {
  constructor(private readonly source: string) {}

  async copyOne(manager: EntityManager, sourceId: string, references: NewReferences): Promise<void> {
    const row = await manager.findOneByOrFail(LabeledImage, { taskId: this.source, id: sourceId });
    await manager.save(manager.create(LabeledImage, changedRow(row, references)));
  }

  async copyMany(manager: EntityManager, copies: ReadonlyMap<string, NewReferences>): Promise<void> {
    const rows = await manager
      .createQueryBuilder(LabeledImage, 'document')
      .where('document.taskId = :source AND document.id IN (:...ids)', {
        source: this.source,
        ids: [...copies.keys()],
      })
      .getMany();
    // Every one that was asked for by its id is among them.
    await manager.save(rows.map((row) => manager.create(LabeledImage, changedRow(row, copies.get(row.id)!))));
  }

  async close(): Promise<void> {
    // It has no connection of its own.
  }
}

function changedRow(
  row: LabeledImage,
  { id, taskId, imageId, roiId, classIds }: NewReferences,
): LabeledImage {
  const labClassIds = row.labClassIds.map((classId) => classIds.get(classId)!); // of every class of the source
  return { ...row, id, taskId, imgId: imageId, imgRoiId: roiId, labClassIds };
}
