import { ANNOTATION_HEAD_BYTES } from '../labeled-images/annotation-rules';
import type { CocoAnnotation } from './coco-elements';

/** Annotations of one image that follow each other in the file. */
export interface AnnotationGroup {
  /** The place of the first one among all annotations, from 0. */
  readonly seq: number;
  readonly imageKey: string;
  readonly annotations: number;
  /** A line for each annotation, which has none within because it is JSON; empty for one without an id. */
  readonly keys: string;
  readonly categoryKeys: string;
  /** What they take in a document. */
  readonly bsonBytes: number;
  /** The JSON of each, with commas between. */
  readonly rests: string;
  /** The length of their text in the file. */
  readonly bytes: number;
}

type Growing<T> = { -readonly [Member in keyof T]: T[Member] };

/** More in a row would be no faster. */
const GROUP_BYTES_MAX = 2 ** 16;

/**
 * Groups annotations as they come. Where a file lists those of an image together, an image has one row to be stored,
 * joined and made a document of, where it had one for each annotation, and nothing has to be sorted.
 */
export class AnnotationGroups {
  private group: Growing<AnnotationGroup> | null = null;
  private seq = 0;

  /** @returns the group before, when this annotation begins another one */
  add(
    { key, imageKey, categoryKey, rest, bsonBytes }: CocoAnnotation,
    bytes: number,
  ): AnnotationGroup | null {
    const seq = this.seq++;
    const inDocument = ANNOTATION_HEAD_BYTES + bsonBytes;
    const { group } = this;
    if (group?.imageKey === imageKey && group.bytes + bytes < GROUP_BYTES_MAX) {
      group.annotations++;
      group.keys += `\n${key ?? ''}`;
      group.categoryKeys += `\n${categoryKey}`;
      group.bsonBytes += inDocument;
      group.rests += `,${rest}`;
      group.bytes += bytes;
      return null;
    }
    this.group = {
      seq,
      imageKey,
      annotations: 1,
      keys: key ?? '',
      categoryKeys: categoryKey,
      bsonBytes: inDocument,
      rests: rest,
      bytes,
    };
    return group;
  }

  /** @returns the last group, at the end of the file */
  end(): AnnotationGroup | null {
    const { group } = this;
    this.group = null;
    return group;
  }
}
