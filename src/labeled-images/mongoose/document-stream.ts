import mongoose from 'mongoose';
import type { EntityManager } from 'typeorm';
import { decodeFewAtOnce } from '../few-at-once';
import type { PlacedDocument } from '../labeled-image.repository';
import type { DocumentCollection } from './labeled-image.schema';
import { imagesAfter, type PlacedImage } from './placed-images';
import { PAGE_IMAGES_MAX, RawDocumentPages, type RawDocuments } from './raw-documents';
import { ONLY_ANNOTATIONS, readAnnotations } from './stored-annotations';

const { ObjectId } = mongoose.mongo;

/**
 * The documents of a task by `order_id`. MongoDB answers them in another order, so that a page is held whole; how large
 * that is is known when it is there: then a page is cut, and the next ones are smaller.
 */
export class DocumentStream {
  private readonly pages: RawDocumentPages;

  constructor(
    documents: DocumentCollection,
    private readonly manager: EntityManager,
    private readonly taskId: string,
  ) {
    this.pages = new RawDocumentPages(documents, ONLY_ANNOTATIONS);
  }

  async *read(): AsyncGenerator<PlacedDocument[]> {
    let last: PlacedImage | undefined;
    for (;;) {
      const images = await imagesAfter(this.manager, this.taskId, last, PAGE_IMAGES_MAX);
      yield* this.readDocuments(images.filter(({ mongoId }) => mongoId !== null));
      if (images.length < PAGE_IMAGES_MAX) return;
      last = images.at(-1);
    }
  }

  private async *readDocuments(images: readonly PlacedImage[]): AsyncGenerator<PlacedDocument[]> {
    const pages = this.pages.read(images, (page) => ({
      task_id: BigInt(this.taskId),
      _id: { $in: page.map(({ mongoId }) => new ObjectId(mongoId!)) }, // filtered
    }));
    for await (const { page, raw } of pages)
      yield* decodeFewAtOnce(page, (image) => toPlacedDocument(image, raw));
  }
}

function toPlacedDocument({ place, mongoId }: PlacedImage, documents: RawDocuments): PlacedDocument {
  const raw = documents.get(mongoId!.toLowerCase()); // filtered
  if (!raw) throw new Error(`document ${String(mongoId)} is not there`);
  return { place, annotations: readAnnotations(raw) };
}
