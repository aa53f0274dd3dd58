import type mongoose from 'mongoose';
import type { EntityManager } from 'typeorm';
import { EXAMPLES_MAX, type DocumentFault, type DocumentFaultKind } from '../document-faults';
import { ofClasses } from './copy-pipeline';
import { toObjectId } from './document-ids';
import { BY_TASK, type DocumentCollection } from './labeled-image.schema';
import { READ } from './mongo-settings';
import { imagesAfter, type PlacedImage } from './placed-images';

const PAGE_IMAGES = 2_000;

/** What a document refers to. Whatever is no int64 is no id: it could not be copied. */
interface StoredReferences {
  readonly _id: mongoose.mongo.ObjectId;
  readonly img_id?: unknown;
  readonly img_roi_id?: unknown;
}

interface References extends StoredReferences {
  readonly hasKnownClasses: boolean;
}

/** Compares the pointers of a task with its documents, a page of images at a time. */
export class DocumentInspection {
  private readonly faults = new Map<DocumentFaultKind, { count: number; images: string[] }>();

  constructor(
    private readonly documents: DocumentCollection,
    private readonly manager: EntityManager,
    private readonly taskId: string,
  ) {}

  async run(): Promise<DocumentFault[]> {
    // The planner would rather sort all images that follow, for every page anew.
    await this.manager.query('SET LOCAL enable_sort = off');
    await this.inspectPages(await this.classIds());
    await this.manager.query('SET LOCAL enable_sort = on');
    return [...this.faults]
      .map(([kind, fault]) => ({ kind, ...fault }))
      .sort((one, other) => one.kind.localeCompare(other.kind));
  }

  private async inspectPages(classIds: readonly number[]): Promise<void> {
    let last: PlacedImage | undefined;
    for (;;) {
      const images = await imagesAfter(this.manager, this.taskId, last, PAGE_IMAGES);
      await this.inspect(
        images.filter(({ mongoId }) => mongoId !== null),
        classIds,
      );
      if (images.length < PAGE_IMAGES) return;
      last = images.at(-1);
    }
  }

  private async inspect(images: readonly PlacedImage[], classIds: readonly number[]): Promise<void> {
    if (images.length === 0) return;
    const documents = await this.references(images, classIds);
    const rois = await this.knownRois([...documents.values()]);
    for (const image of images) {
      const kind = faultOf(image, documents.get(image.mongoId!.toLowerCase()), rois); // filtered
      if (kind) this.count(kind, image.id);
    }
  }

  private count(kind: DocumentFaultKind, imageId: string): void {
    const fault = this.faults.get(kind) ?? { count: 0, images: [] };
    fault.count++;
    if (fault.images.length < EXAMPLES_MAX) fault.images.push(imageId);
    this.faults.set(kind, fault);
  }

  /** Of what the images point to, without the annotations. */
  private async references(
    images: readonly PlacedImage[],
    classIds: readonly number[],
  ): Promise<Map<string, References>> {
    const ids = images.flatMap(({ mongoId }) => toObjectId(mongoId!) ?? []); // filtered
    const named = { task_id: BigInt(this.taskId), _id: { $in: ids } };
    const found = await this.find(named, { img_id: 1, img_roi_id: 1 });
    const ofKnownClasses = await this.find({ ...named, ...ofClasses(classIds) }, { _id: 1 });
    const known = new Set(ofKnownClasses.map(({ _id }) => _id.toHexString()));
    return new Map(
      found.map((document) => {
        const id = document._id.toHexString();
        return [id, { ...document, hasKnownClasses: known.has(id) }];
      }),
    );
  }

  private find(named: mongoose.QueryFilter<unknown>, projection: object): Promise<StoredReferences[]> {
    const options = { ...READ, hint: BY_TASK, useBigInt64: true, batchSize: PAGE_IMAGES + 1 };
    return this.documents.find<StoredReferences>(named, { ...options, projection }).toArray();
  }

  private async classIds(): Promise<number[]> {
    const rows = await this.manager.query<{ id: number }[]>(
      `SELECT id
       FROM label_class
       WHERE task_id = $1::bigint`,
      [this.taskId],
    );
    return rows.map(({ id }) => id);
  }

  private async knownRois(documents: readonly References[]): Promise<ReadonlySet<unknown>> {
    const ids = documents.flatMap(({ img_roi_id: id }) => (typeof id === 'bigint' ? String(id) : []));
    const rows = await this.manager.query<{ id: string }[]>(
      `SELECT id
       FROM roi_image
       WHERE task_id = $1::bigint
         AND id = ANY ($2::bigint[])`,
      [this.taskId, ids],
    );
    return new Set(rows.map(({ id }) => BigInt(id)));
  }
}

function faultOf(
  image: PlacedImage,
  document: References | undefined,
  knownRois: ReadonlySet<unknown>,
): DocumentFaultKind | null {
  if (!document) return 'missing';
  const { img_id: imageId, img_roi_id: roiId = null } = document;
  if (imageId !== BigInt(image.id) || (roiId !== null && !knownRois.has(roiId))) return 'foreign';
  return document.hasKnownClasses ? null : 'unknown_class';
}
