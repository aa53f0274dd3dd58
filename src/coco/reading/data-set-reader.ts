import type { QueryRunner } from 'typeorm';
import type { Preparation } from '../../labeled-images/labeled-image.repository';
import { bsonBytes, UnstorableJson } from '../../labeled-images/json-measure';
import { AnnotationGroups, isTooLarge, type AnnotationGroup } from './annotation-groups';
import { PROBLEM_FAULTS } from '../data-set-faults';
import {
  readAnnotation,
  readCategory,
  readImage,
  type CocoAnnotation,
  type CocoCategory,
  type CocoImage,
} from './coco-elements';
import type { DataSetFile } from '../data-set-file';
import { notADataSet, readPieces, type Piece } from './data-set-pieces';
import { ImageIndex } from './image-index';
import { ImageSlices, type ImageSlice, type PlacedGroup } from './image-slices';
import type { ImportReport } from '../import-report';
import type { ElementPiece } from '../json/json-piece';
import type { OneInFlight } from '../../database/one-in-flight';
import { PlainAnnotationReader } from './plain-annotation-reader';
import { ReferredClasses, type ReferredCategory } from './referred-classes';
import type { ReservedIds } from '../reserved-ids';
import { StagedRows } from './staged-rows';
import { StagingNeeded } from './staging-needed';
import type { StagedGroup, StagingRepository } from '../staging/staging.repository';

/** `info` and `licenses` of a data set, as JSON text. */
export interface DataSetHead {
  cocoInfo: string | null;
  cocoLicenses: string | null;
}

/** Documents made at once, by the text of their annotations, whose bytes lie outside of the heap: fewer are slower. */
const BATCH_BYTES = 2 ** 19;
/** A row of more would be no faster. */
const ROW_BYTES_MAX = 2 ** 16;
/** No document of 15 MB as BSON has as much text, unless its ids are long. */
const DOCUMENT_TEXT_BYTES_MAX = 2 ** 25;
/** The level of a value that stands in no other. */
const HEAD_DEPTH = 1;

/**
 * Reads one data set from beginning to end, and puts its elements into the temporary tables as they come; faults and dirt of
 * single ones go into the report. It stops where the annotations begin: they go into the tables, too, or become documents at
 * once. Who makes one closes it. Every method may throw ApiError MALFORMED_FILE or NOT_A_DATA_SET.
 */
export class DataSetReader {
  readonly head: DataSetHead = { cocoInfo: null, cocoLicenses: null };
  /** The images that have been read. */
  readonly index = new ImageIndex();
  private readonly classes: ReferredClasses;
  private readonly pieces: AsyncGenerator<Piece[], void>;
  private readonly images: StagedRows<CocoImage>;
  private readonly categories: StagedRows<CocoCategory>;
  private readonly groups: StagedRows<StagedGroup>;
  private batches: AsyncIterable<PlacedGroup[]> | Iterable<PlacedGroup[]> = [];
  private lastImageSeq = -1;
  private plain: PlainAnnotationReader | null = null;
  private readonly ids = new AscendingIds();
  private hasImages = false;
  private ended = false;

  constructor(
    staging: StagingRepository,
    connection: QueryRunner,
    /** Those of the connection. */
    private readonly statements: OneInFlight,
    file: DataSetFile,
    readonly report: ImportReport,
  ) {
    const { manager } = connection;
    this.classes = new ReferredClasses((keys) => statements.run(() => staging.reserveClasses(manager, keys)));
    this.pieces = readPieces(file, connection, statements, (member) =>
      member === 'annotations' ? this.plain : null,
    );
    this.images = new StagedRows(statements, (seq, rows) => staging.addImages(connection, seq, rows));
    this.categories = new StagedRows(statements, (seq, rows) => staging.addCategories(connection, seq, rows));
    this.groups = new StagedRows(statements, (_, rows) => staging.addAnnotations(connection, rows));
  }

  /** Whether the whole file has been read. */
  get isOver(): boolean {
    return this.ended;
  }

  /** Whether annotations can become documents at once: their images are known, and nothing was wrong so far. */
  get canMakeDocuments(): boolean {
    return !this.ended && this.hasImages && this.index.isOrdered && !this.report.hasFaults;
  }

  /** The categories of all annotations that have become documents. */
  get referredCategories(): ReferredCategory[] {
    return this.classes.all;
  }

  /** Whether no two annotations can have the same id: mostly they ascend, and need not be compared with each other. */
  get hasDistinctIds(): boolean {
    return this.ids.ascend;
  }

  /** Reads to where the annotations begin, or to the end where there are none. */
  async toAnnotations(): Promise<void> {
    for (;;) {
      const next = await this.pieces.next();
      if (next.done) return this.finish();
      for (const piece of next.value) this.take(piece);
      if (next.value.some(beginsAnnotations)) return this.sendAll();
      await this.sendFull();
    }
  }

  /** Reads on to the end. */
  async stageAnnotations(): Promise<void> {
    for await (const groups of this.readGroups(ROW_BYTES_MAX, AS_TEXT)) {
      for (const group of groups) this.groups.add(group as StagedGroup, group.bytes); // of texts
      await this.sendFull();
    }
    await this.finish();
  }

  /**
   * Reads the annotations of a first batch of documents.
   * @throws StagingNeeded where they show already that it can't go on: before anything is announced or written
   */
  async beginDocuments(preparation: Preparation): Promise<void> {
    const batches = this.readBatches(preparation);
    const first = await batches.next();
    this.batches = first.done ? [] : startingWith(first.value, batches);
  }

  /**
   * Reads on to the end, and answers all images with the documents of their annotations; no more of them once something is
   * wrong.
   * @throws StagingNeeded where the annotations are not in order, their image is not there, or they are too many for a document
   */
  async *makeSlices(ids: ReservedIds): AsyncGenerator<ImageSlice> {
    const slices = new ImageSlices(this.index, ids);
    for await (const batch of this.batches) {
      yield* slices.upTo(batch, await this.classes.idsOf(batch.map(({ group }) => group)));
    }
    if (!this.report.hasFaults) yield* slices.rest();
    await this.finish();
  }

  async close(): Promise<void> {
    await this.pieces.return(undefined);
    // The next user of the connection must not find a statement running, and its fault is not the first one.
    await this.statements.ended().catch(() => undefined);
  }

  /** All annotations of some images, in the images' order. */
  private async *readBatches(preparation: Preparation): AsyncGenerator<PlacedGroup[], void> {
    let batch: PlacedGroup[] = [];
    let bytes = 0;
    for await (const groups of this.readGroups(DOCUMENT_TEXT_BYTES_MAX, preparation)) {
      await this.sendFull();
      if (this.report.hasFaults) continue; // it is read for what else is wrong
      for (const group of groups) {
        batch.push(this.place(group));
        bytes += group.bytes;
      }
      if (bytes < BATCH_BYTES) continue;
      yield this.inOrder(batch);
      [batch, bytes] = [[], 0];
    }
    if (batch.length > 0 && !this.report.hasFaults) yield this.inOrder(batch);
  }

  /** What is wrong is said by the review of all that is in the tables. */
  private place(group: AnnotationGroup): PlacedGroup {
    if (isTooLarge(group.bsonBytes)) throw new StagingNeeded('annotations are too large for a document');
    const imageSeq = this.index.find(group.imageKey);
    if (imageSeq === undefined) throw new StagingNeeded('annotations of an image that is not there');
    return { imageSeq, group };
  }

  private inOrder(batch: PlacedGroup[]): PlacedGroup[] {
    batch.sort((a, b) => a.imageSeq - b.imageSeq);
    for (const { imageSeq } of batch) {
      if (imageSeq <= this.lastImageSeq)
        throw new StagingNeeded('annotations are not in the order of images');
      this.lastImageSeq = imageSeq;
    }
    if (!this.ids.ascend) throw new StagingNeeded('ids of annotations do not ascend');
    return batch;
  }

  private async *readGroups(bytesMax: number, preparation: Preparation): AsyncGenerator<AnnotationGroup[]> {
    const groups = new AnnotationGroups(bytesMax);
    this.plain = new PlainAnnotationReader(preparation);
    for await (const pieces of this.pieces) {
      yield pieces
        .map((piece) => this.takeInto(groups, piece, preparation))
        .filter((group) => group !== null);
    }
    const last = groups.end();
    if (last) yield [last];
  }

  private takeInto(groups: AnnotationGroups, piece: Piece, preparation: Preparation): AnnotationGroup | null {
    if (piece.kind === 'plain') return this.addTo(groups, piece.value, piece.bytes);
    if (piece.kind !== 'element' || piece.member !== 'annotations') {
      this.take(piece);
      return null;
    }
    const annotation = readAnnotation(piece.value, piece.index, this.report, preparation);
    return annotation && this.addTo(groups, annotation, piece.bytes);
  }

  private addTo(groups: AnnotationGroups, annotation: CocoAnnotation, bytes: number): AnnotationGroup | null {
    this.ids.see(annotation.key);
    return groups.add(annotation, bytes);
  }

  private take(piece: Piece): void {
    switch (piece.kind) {
      case 'element':
        this.takeElement(piece);
        break;
      case 'plain': // an annotation, which takeInto has taken
        break;
      case 'array':
        this.hasImages ||= piece.member === 'images';
        break;
      case 'value':
        this.takeHead(piece.member, piece.value);
        break;
      case 'ignored':
        this.report.warn('top_level_member_left_out', piece.member);
    }
  }

  private takeElement({ member, value, index, bytes }: ElementPiece): void {
    if (member === 'images') this.takeImage(readImage(value, index, this.report), bytes);
    else this.categories.add(readCategory(value, index, this.report), bytes);
  }

  private takeImage(image: CocoImage | null, bytes: number): void {
    if (image) this.index.add(image, bytes);
    this.images.add(image, bytes);
  }

  private takeHead(member: string, value: unknown): void {
    if (value === null) return;
    try {
      bsonBytes(value, HEAD_DEPTH);
    } catch (fault) {
      if (!(fault instanceof UnstorableJson)) throw fault;
      this.report.fault(PROBLEM_FAULTS[fault.problem], member);
      return;
    }
    this.head[member === 'info' ? 'cocoInfo' : 'cocoLicenses'] = JSON.stringify(value);
  }

  private get tables() {
    return [this.images, this.categories, this.groups];
  }

  private async sendFull(): Promise<void> {
    for (const rows of this.tables) if (rows.isFull) await rows.send();
  }

  private async sendAll(): Promise<void> {
    for (const rows of this.tables) await rows.send();
    await this.statements.ended();
  }

  private async finish(): Promise<void> {
    if (!this.hasImages) throw notADataSet({ zh: '没有 images', en: 'it has no images' });
    await this.sendAll();
    this.ended = true;
  }
}

/** Of a file in which every id is a number above the one before, none is there twice. */
class AscendingIds {
  ascend = true;
  private last = -Infinity;

  see(key: number | string | null): void {
    if (key === null) return;
    this.ascend &&= typeof key === 'number' && key > this.last;
    if (typeof key === 'number') this.last = key;
  }
}

/** For the tables. */
const AS_TEXT: Preparation = {
  prepare: (annotation) => JSON.stringify(annotation),
  prepareEncoded: ({ json: { block, from, to } }) => block.toString('utf8', from, to),
};

async function* startingWith<T>(first: T, others: AsyncIterable<T>): AsyncGenerator<T> {
  yield first;
  yield* others;
}

function beginsAnnotations(piece: Piece): boolean {
  return piece.kind === 'array' && piece.member === 'annotations';
}
