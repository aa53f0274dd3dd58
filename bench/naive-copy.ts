import { In, type EntityManager } from 'typeorm';
import { connectDatabase } from '../src/database/connect';
import { Image } from '../src/images/image.entity';
import { RoiImage } from '../src/images/roi-image.entity';
import { LabelClass } from '../src/label-classes/label-class.entity';
import { Task } from '../src/tasks/task.entity';
import { timed } from './clock';
import type { Installation, Source } from './installation';
import { naiveDocuments, type NaiveDocuments, type NewReferences } from './naive-documents';

const CHUNK = 1_000;
/** Far from all that the service gives out. */
const FIRST_NEW_ID = 9_000_000_000_000_000_000n;

export type NaiveForm = 'row by row' | 'chunked';

/**
 * What is usually written: every row through its repository, every document through its repository or model, in one
 * transaction.
 * @returns seconds, on connections that are there already
 */
export async function copyNaively(
  installation: Installation,
  source: Source,
  target: string,
  form: NaiveForm,
): Promise<number> {
  const dataSource = await connectDatabase(installation.databaseUrl, false);
  const documents = await naiveDocuments(installation, source.id);
  try {
    return await timed(() =>
      dataSource.transaction((manager) => new NaiveCopy(manager, documents, source.id, target).run(form)),
    );
  } finally {
    await documents.close();
    await dataSource.destroy();
  }
}

class NaiveCopy {
  private lastId = FIRST_NEW_ID;
  private readonly classIds = new Map<number, number>();

  constructor(
    private readonly manager: EntityManager,
    private readonly documents: NaiveDocuments,
    private readonly source: string,
    private readonly target: string,
  ) {}

  async run(form: NaiveForm): Promise<void> {
    const task = await this.manager.findOneByOrFail(Task, { taskId: this.source });
    await this.manager.save(this.manager.create(Task, { ...task, taskId: this.target }));
    await this.copyClasses();
    const images = await this.manager.find(Image, {
      where: { taskId: this.source },
      order: { orderId: 'ASC' },
    });
    if (form === 'row by row') for (const image of images) await this.copyImage(image);
    else
      for (let at = 0; at < images.length; at += CHUNK) await this.copyImages(images.slice(at, at + CHUNK));
  }

  private async copyClasses(): Promise<void> {
    for (const { id, ...rest } of await this.manager.findBy(LabelClass, { taskId: this.source })) {
      const copy = this.manager.create(LabelClass, { ...rest, taskId: this.target, copiedFromId: id });
      this.classIds.set(id, (await this.manager.save(copy)).id);
    }
  }

  private async copyImage(image: Image): Promise<void> {
    const copied = await this.manager.save(this.newImage(image));
    const roi = await this.manager.findOneBy(RoiImage, { taskId: this.source, imageId: image.id });
    const copiedRoi = roi && (await this.manager.save(this.newRoi(roi, copied.id)));
    if (image.mongoId !== null)
      await this.documents.copyOne(this.manager, image.mongoId, this.references(copied, copiedRoi?.id));
  }

  private async copyImages(images: readonly Image[]): Promise<void> {
    const copied = images.map((image) => this.newImage(image));
    await this.manager.save(copied, { chunk: CHUNK });
    const newIds = new Map(copied.map((copy) => [copy.copiedFromId, copy.id]));
    const rois = await this.manager.findBy(RoiImage, {
      taskId: this.source,
      imageId: In(images.map(({ id }) => id)),
    });
    const copiedRois = rois.map((roi) => this.newRoi(roi, newIds.get(roi.imageId)!)); // of these images
    await this.manager.save(copiedRois, { chunk: CHUNK });
    const roiIds = new Map(copiedRois.map((roi) => [roi.imageId, roi.id]));
    const documents = images.flatMap(({ mongoId }, at) => {
      const copy = copied[at]!; // one for each
      return mongoId === null ? [] : [[mongoId, this.references(copy, roiIds.get(copy.id))] as const];
    });
    await this.documents.copyMany(this.manager, new Map(documents));
  }

  private newImage(image: Image): Image {
    const id = this.newId();
    const mongoId = image.mongoId === null ? null : `fffff${id}`;
    return this.manager.create(Image, { ...image, taskId: this.target, id, mongoId, copiedFromId: image.id });
  }

  private newRoi(roi: RoiImage, imageId: string): RoiImage {
    const ids = { taskId: this.target, id: this.newId(), imageId, copiedFromId: roi.id };
    return this.manager.create(RoiImage, { ...roi, ...ids });
  }

  private references({ id, mongoId }: Image, roiId: string | undefined): NewReferences {
    return {
      id: mongoId!, // asked for an image with a document only
      taskId: this.target,
      imageId: id,
      roiId: roiId ?? null,
      classIds: this.classIds,
    };
  }

  private newId(): string {
    return String(++this.lastId);
  }
}
