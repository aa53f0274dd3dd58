import type mongoose from 'mongoose';
import type { EntityManager } from 'typeorm';
import type { RowQuery } from '../../database/row-query';
import { EXAMPLES_MAX } from '../document-faults';
import type { Findings } from '../findings';
import { areTwins, roiIdOf } from './document-twins';
import { toObjectId } from './document-ids';
import type { DocumentCollection, LabeledImage } from './labeled-image.schema';
import { PAGE_IMAGES_MAX, RawDocumentPages, type RawDocuments } from './raw-documents';

interface ImagePair {
  readonly id: string;
  readonly mongoId: string;
  readonly sourceId: string;
  readonly sourceMongoId: string;
}

/** Compares the documents of a copy with those of its source, a page of images at a time. */
export class DocumentComparison {
  private readonly pages: RawDocumentPages;
  private readonly taskIds: readonly [copy: bigint, original: bigint];
  private readonly examples: string[] = [];
  private count = 0;

  constructor(
    documents: DocumentCollection,
    private readonly manager: EntityManager,
    private readonly target: string,
    private readonly source: string,
  ) {
    this.pages = new RawDocumentPages(documents);
    this.taskIds = [BigInt(target), BigInt(source)];
  }

  async run(pairs: RowQuery): Promise<Findings> {
    const classIds = await this.classIds();
    for await (const images of this.fetch(pairs)) {
      for await (const { page, raw } of this.pages.read(images, (page) => this.conditionOf(page))) {
        await this.compare(page, raw, classIds);
      }
    }
    return { count: this.count, examples: this.examples };
  }

  private conditionOf(page: readonly ImagePair[]): mongoose.mongo.Filter<LabeledImage> {
    const ids = page.flatMap(({ mongoId, sourceMongoId }) => [
      toObjectId(mongoId),
      toObjectId(sourceMongoId),
    ]);
    return { task_id: { $in: this.taskIds }, _id: { $in: ids.filter((id) => id !== null) } };
  }

  private async compare(
    page: readonly ImagePair[],
    documents: RawDocuments,
    classIds: ReadonlyMap<number, number>,
  ): Promise<void> {
    const roiIds = await this.roiIds(page, documents);
    for (const { id, mongoId, sourceId, sourceMongoId } of page) {
      const copy = documents.get(mongoId.toLowerCase());
      const original = documents.get(sourceMongoId.toLowerCase());
      const imageIds = [BigInt(id), BigInt(sourceId)] as const;
      const ids = { taskIds: this.taskIds, imageIds, roiIds, classIds };
      if (!copy || !original || !areTwins({ copy, original, ...ids })) this.add(id);
    }
  }

  private add(imageId: string): void {
    this.count++;
    if (this.examples.length < EXAMPLES_MAX) this.examples.push(imageId);
  }

  /** The source's classes by the copy's. */
  private async classIds(): Promise<Map<number, number>> {
    const rows = await this.manager.query<{ id: number; source_id: number }[]>(
      `SELECT id, copied_from_id AS source_id
       FROM label_class
       WHERE task_id = $1::bigint
         AND copied_from_id IS NOT NULL`,
      [this.target],
    );
    return new Map(rows.map(({ id, source_id }) => [id, source_id]));
  }

  /** The source's ROIs by those that the copy's documents refer to. */
  private async roiIds(page: readonly ImagePair[], documents: RawDocuments): Promise<Map<bigint, bigint>> {
    const copies = page.flatMap(({ mongoId }) => documents.get(mongoId.toLowerCase()) ?? []);
    const ids = copies.map(roiIdOf).filter((id) => id !== null);
    const rows = await this.manager.query<{ id: string; source_id: string }[]>(
      `SELECT id, copied_from_id AS source_id
       FROM roi_image
       WHERE task_id = $1::bigint
         AND id = ANY ($2::bigint[])
         AND copied_from_id IS NOT NULL`,
      [this.target, ids.map(String)],
    );
    return new Map(rows.map(({ id, source_id }) => [BigInt(id), BigInt(source_id)]));
  }

  /** By a cursor of SQL: the connection is free between two fetches, and the server holds what is not asked for yet. */
  private async *fetch({ sql, parameters }: RowQuery): AsyncGenerator<ImagePair[]> {
    await this.manager.query(
      `DECLARE pair_to_compare NO SCROLL CURSOR FOR
       SELECT id, mongo_id AS "mongoId", source_id AS "sourceId", source_mongo_id AS "sourceMongoId"
       FROM (${sql}) AS pair (id, place, mongo_id, source_id, source_mongo_id)
       ORDER BY place`,
      [this.target, this.source, ...parameters],
    );
    for (;;) {
      const pairs = await this.manager.query<ImagePair[]>(
        `FETCH ${String(PAGE_IMAGES_MAX)} FROM pair_to_compare`,
      );
      if (pairs.length > 0) yield pairs;
      if (pairs.length < PAGE_IMAGES_MAX) break;
    }
    await this.manager.query('CLOSE pair_to_compare');
  }
}
