import { ANNOTATION_HEAD_BYTES, ANNOTATIONS_BYTES_MAX } from '../../labeled-images/annotation-rules';
import type { PreparedAnnotation } from '../../labeled-images/labeled-image.repository';
import type { CocoAnnotation } from './coco-elements';

/** Annotations of one image that follow each other in the file. */
export interface AnnotationGroup {
  /** The place of the first one among all annotations, from 0. */
  readonly seq: number;
  readonly imageKey: string;
  /** Of each annotation; null for one without an id. */
  readonly keys: (number | string | null)[];
  readonly categoryKeys: string[];
  /** What goes into the document beside the classes; nothing where it is too large for one. */
  rests: PreparedAnnotation[];
  /** What they take in a document. */
  bsonBytes: number;
  /** The length of their text in the file. */
  bytes: number;
}

/** Groups annotations as they come: of a file that lists them by image, one group is all that a document holds. */
export class AnnotationGroups {
  private group: AnnotationGroup | null = null;
  private seq = 0;

  /** A group takes text of less than `bytesMax`, or one annotation. */
  constructor(private readonly bytesMax: number) {}

  /** @returns the group before, when this annotation begins another one */
  add(annotation: CocoAnnotation, bytes: number): AnnotationGroup | null {
    const seq = this.seq++;
    const { imageKey } = annotation;
    const before = this.group;
    if (before?.imageKey === imageKey && before.bytes + bytes < this.bytesMax) {
      this.append(before, annotation, bytes);
      return null;
    }
    this.group = {
      seq,
      imageKey,
      keys: [],
      categoryKeys: [],
      rests: [],
      bsonBytes: 0,
      bytes: 0,
    };
    this.append(this.group, annotation, bytes);
    return before && compact(before);
  }

  /** @returns the last group, at the end of the file */
  end(): AnnotationGroup | null {
    const { group } = this;
    this.group = null;
    return group && compact(group);
  }

  private append(
    group: AnnotationGroup,
    { key, categoryKey, rest, bsonBytes }: CocoAnnotation,
    bytes: number,
  ): void {
    group.keys.push(key);
    group.categoryKeys.push(categoryKey);
    group.bytes += bytes;
    group.bsonBytes += ANNOTATION_HEAD_BYTES + bsonBytes;
    // The file will be refused for it, when all of it has been read.
    if (isTooLarge(group.bsonBytes)) group.rests = [];
    else group.rests.push(rest);
  }
}

/** Lists that grow have room for sixteen more, and a few thousand groups wait at once. */
function compact(group: AnnotationGroup): AnnotationGroup {
  const { keys, categoryKeys, rests } = group;
  return { ...group, keys: keys.slice(), categoryKeys: categoryKeys.slice(), rests: rests.slice() };
}

/** Whether annotations of so many bytes are too large for a document. */
export function isTooLarge(bsonBytes: number): boolean {
  return bsonBytes > ANNOTATIONS_BYTES_MAX;
}
