import type { QueryRunner } from 'typeorm';
import type { NewDocument } from '../labeled-images/labeled-image.repository';
import type { AnnotationGroup } from './annotation-groups';
import type { OneInFlight } from '../database/one-in-flight';
import { OutOfOrder } from './out-of-order';
import type { ImageRun } from './image-run';
import type { DocumentPlace, StagingRepository } from './staging.repository';

/** Data sets have tens or thousands; of more not all are remembered. */
const CLASSES_MAX = 10_000;

/**
 * Makes documents of annotations while the file is read: the images' ids are known, and those of the classes are reserved
 * as they are met, for the categories may stand behind the annotations.
 */
export class DocumentBuilder {
  private readonly classIds = new Map<string, number>();
  /** A bit for each image. */
  private readonly begun: Uint8Array;

  constructor(
    private readonly staging: StagingRepository,
    private readonly connection: QueryRunner,
    private readonly statements: OneInFlight,
    private readonly documentPrefix: string,
    private readonly run: ImageRun | null,
    images: number,
  ) {
    this.begun = new Uint8Array(Math.ceil(images / 8));
  }

  /**
   * Annotations of an unknown image become no document: that is for the review of the whole file to say.
   * @throws OutOfOrder where an image has had a document before
   */
  async build(groups: readonly AnnotationGroup[]): Promise<NewDocument[]> {
    const classIds = await this.reserveClasses(groups.flatMap(({ categoryKeys }) => categoryKeys));
    const places = await this.findPlaces(groups.map(({ imageKey }) => imageKey));
    return groups.flatMap(({ imageKey, categoryKeys, rests }, at) => {
      const place = places[at];
      if (!place) return [];
      this.begin(imageKey, place);
      const labClassIds = categoryKeys.map((key) => classIds.get(key)!); // each of them was asked for
      const { id, imageId, roiId } = place;
      return { id, imageId, roiId, labClassIds, annotations: rests };
    });
  }

  /** @returns those of this batch: what is remembered may be forgotten for the next one, which is begun before this is built */
  private async reserveClasses(keys: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const ids = new Map<string, number>();
    const unknown = new Set<string>();
    for (const key of keys) {
      const id = this.classIds.get(key);
      if (id === undefined) unknown.add(key);
      else ids.set(key, id);
    }
    if (unknown.size === 0) return ids;
    const reserved = await this.statements.run(() =>
      this.staging.reserveClasses(this.connection.manager, [...unknown]),
    );
    if (this.classIds.size + reserved.length > CLASSES_MAX) this.classIds.clear();
    for (const { key, id } of reserved) {
      ids.set(key, id);
      this.classIds.set(key, id);
    }
    return ids;
  }

  private async findPlaces(imageKeys: readonly string[]): Promise<(DocumentPlace | undefined)[]> {
    const { run, staging, connection, documentPrefix } = this;
    if (run) return imageKeys.map((key) => run.find(key));
    return this.statements.run(() => staging.findPlaces(connection.manager, documentPrefix, imageKeys));
  }

  private begin(key: string, { seq }: DocumentPlace): void {
    const [at, bit] = [seq >> 3, 1 << (seq & 7)];
    const bits = this.begun[at] ?? 0;
    if (bits & bit) throw new OutOfOrder(`the annotations of image ${key} stand apart`);
    this.begun[at] = bits | bit;
  }
}
