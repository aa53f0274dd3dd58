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
}

type Growing<T> = { -readonly [Member in keyof T]: T[Member] };

/** In characters of JSON: more in a row would be no faster. */
const GROUP_LENGTH_MAX = 2 ** 16;

/**
 * Groups annotations as they come. Most files list those of an image together: then an image has one row to be stored,
 * joined and made a document of, where it had one for each annotation, and nothing has to be sorted.
 */
export class AnnotationGroups {
  private group: Growing<AnnotationGroup> | null = null;
  private seq = 0;

  /** @returns the group before, when this annotation begins another one */
  add({ key, imageKey, categoryKey, rest, bsonBytes }: CocoAnnotation): AnnotationGroup | null {
    const seq = this.seq++;
    const bytes = ANNOTATION_HEAD_BYTES + bsonBytes;
    const { group } = this;
    if (group?.imageKey === imageKey && group.rests.length + rest.length < GROUP_LENGTH_MAX) {
      group.annotations++;
      group.keys += `\n${key ?? ''}`;
      group.categoryKeys += `\n${categoryKey}`;
      group.bsonBytes += bytes;
      group.rests += `,${rest}`;
      return null;
    }
    this.group = {
      seq,
      imageKey,
      annotations: 1,
      keys: key ?? '',
      categoryKeys: categoryKey,
      bsonBytes: bytes,
      rests: rest,
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
