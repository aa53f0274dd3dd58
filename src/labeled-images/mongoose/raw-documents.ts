import type mongoose from 'mongoose';
import { SIZE_BYTES } from '../annotation-output';
import type { DocumentCollection, LabeledImage } from './labeled-image.schema';
import { READ } from './mongo-settings';

const PAGE_BYTES_MAX = 2 ** 20;
/** What a page aims at: documents are not all of one size, and one that is too large is read for nothing. */
const PAGE_BYTES = 0.75 * PAGE_BYTES_MAX;
export const PAGE_IMAGES_MAX = 500;

type Condition = mongoose.mongo.Filter<LabeledImage>;
type Projection = Partial<Record<keyof LabeledImage, 1>>;

/** Documents as they are stored, by the hex digits of their ids. */
export type RawDocuments = ReadonlyMap<string, Uint8Array>;

interface Page {
  readonly raw: RawDocuments;
  readonly bytes: number;
}

/**
 * Reads documents of images, a page at a time that is held whole. How large it is is known when it is there: then a page is
 * cut, and the next ones are smaller.
 */
export class RawDocumentPages {
  private pageImages = PAGE_IMAGES_MAX;

  constructor(
    private readonly documents: DocumentCollection,
    private readonly projection: Projection = {},
  ) {}

  async *read<Image>(
    images: readonly Image[],
    conditionOf: (page: readonly Image[]) => Condition,
  ): AsyncGenerator<{ page: readonly Image[]; raw: RawDocuments }> {
    let at = 0;
    while (at < images.length) {
      const page = images.slice(at, at + this.pageImages);
      const found = await this.readPage(conditionOf(page), page.length);
      if (!found) {
        this.pageImages = Math.ceil(page.length / 2);
        continue;
      }
      yield { page, raw: found.raw };
      at += page.length;
      this.pageImages = imagesFor(page.length, found.bytes);
    }
  }

  /** null where they are too large together; they come undecoded, so that this is known early. */
  private async readPage(condition: Condition, images: number): Promise<Page | null> {
    const cursor = this.documents.find(condition, {
      ...READ,
      projection: this.projection,
      raw: true,
      // By default the first answer has but 101 documents, and each page takes two.
      batchSize: 2 * PAGE_IMAGES_MAX + 1,
    });
    const raw = new Map<string, Uint8Array>();
    let bytes = 0;
    try {
      for await (const document of cursor as AsyncIterable<unknown> as AsyncIterable<Uint8Array>) {
        bytes += document.length;
        if (bytes > PAGE_BYTES_MAX && images > 1) return null;
        raw.set(idOf(document), document);
      }
    } finally {
      await cursor.close();
    }
    return { raw, bytes };
  }
}

/** As many as a page takes, where `images` of them are of so many bytes. */
function imagesFor(images: number, bytes: number): number {
  return Math.min(PAGE_IMAGES_MAX, Math.max(1, Math.floor((images * PAGE_BYTES) / Math.max(bytes, 1))));
}

/** `_id` comes first in what is found: behind the size, the type and the name. */
function idOf(raw: Uint8Array): string {
  return Buffer.from(raw.buffer, raw.byteOffset + ID_OFFSET, ID_BYTES).toString('hex');
}

const ID_OFFSET = SIZE_BYTES + 1 + '_id\0'.length;
const ID_BYTES = 12;
/** Where the member behind `_id` begins. */
export const SECOND_MEMBER_AT = ID_OFFSET + ID_BYTES;
