import type { NewDocument } from '../../labeled-images/labeled-image.repository';
import type { AnnotationGroup } from './annotation-groups';
import type { ImageIndex } from './image-index';
import type { ReservedIds } from '../reserved-ids';

/** Of one slice: images that have a state and no annotations may be any number. */
const DOCUMENTS_MAX = 1_000;

/** Documents, in the images' order, and the rows of as many images as are worth a statement. */
export interface ImageSlice {
  readonly documents: readonly NewDocument[];
  readonly rows: ImageRows | null;
}

/** Rows of the images that stand in the file from `firstSeq` to before `endSeq`. */
export interface ImageRows {
  readonly firstSeq: number;
  readonly endSeq: number;
  /** A bit for each image, the lowest of a byte first: 1 where annotations refer to it. */
  readonly annotated: Buffer;
  readonly rois: number;
  /** Of the first one. */
  readonly firstRoiId: bigint;
}

/** All annotations of the image that stands at `imageSeq`. */
export interface PlacedGroup {
  readonly imageSeq: number;
  readonly group: AnnotationGroup;
}

/** Cuts the images of a data set into slices as their annotations come, in the images' order. */
export class ImageSlices {
  private readonly annotated: Buffer;
  /** The next image whose document is to be made, and how many before it have a ROI. */
  private nextSeq = 0;
  private rois = 0;
  /** The same of its row. */
  private nextRowSeq = 0;
  private rowRois = 0;

  constructor(
    private readonly images: ImageIndex,
    private readonly ids: ReservedIds,
  ) {
    this.annotated = Buffer.alloc(Math.ceil(images.count / 8));
  }

  /** Those up to the last one of these groups, with all between that have no annotations. */
  *upTo(groups: readonly PlacedGroup[], labClassIds: readonly (readonly number[])[]): Generator<ImageSlice> {
    const last = groups.at(-1);
    if (last) yield* this.cut(last.imageSeq + 1, groups, labClassIds);
  }

  /** Those behind the last annotations. */
  rest(): Generator<ImageSlice> {
    return this.cut(this.images.count, [], []);
  }

  private *cut(
    endSeq: number,
    groups: readonly PlacedGroup[],
    labClassIds: readonly (readonly number[])[],
  ): Generator<ImageSlice> {
    let at = 0;
    while (this.nextSeq < endSeq) {
      const documents: NewDocument[] = [];
      const sliceEnd = Math.min(endSeq, this.images.rowsEnd(this.nextRowSeq));
      for (; this.nextSeq < sliceEnd && documents.length < DOCUMENTS_MAX; this.nextSeq++) {
        const seq = this.nextSeq;
        if (groups[at]?.imageSeq === seq) {
          this.annotate(seq);
          documents.push(this.document(seq, labClassIds[at]!, groups[at]!.group.rests)); // there are as many
          at++;
        } else if (this.images.hasState(seq)) {
          documents.push(this.document(seq, [], []));
        }
        if (this.images.hasRoi(seq)) this.rois++;
      }
      yield { documents, rows: this.takeRows() };
    }
  }

  /** As PostgreSQL's get_bit reads it. */
  private annotate(seq: number): void {
    const at = seq >> 3;
    this.annotated[at] = (this.annotated[at] ?? 0) | (1 << (seq & 7));
  }

  /** Of the next image: its ROI, if it has one, is the next one, too. */
  private document(
    seq: number,
    labClassIds: readonly number[],
    annotations: NewDocument['annotations'],
  ): NewDocument {
    const { ids, images, rois } = this;
    const place = BigInt(seq);
    return {
      id: ids.documentPrefix + String(ids.document + place),
      imageId: String(ids.image + place),
      roiId: images.hasRoi(seq) ? String(ids.roi + BigInt(rois)) : null,
      labClassIds,
      annotations,
    };
  }

  private takeRows(): ImageRows | null {
    const { images, annotated, nextRowSeq: firstSeq, nextSeq: endSeq, rowRois, rois } = this;
    if (endSeq < images.rowsEnd(firstSeq)) return null;
    [this.nextRowSeq, this.rowRois] = [endSeq, rois];
    return {
      firstSeq,
      endSeq,
      annotated: annotated.subarray(firstSeq >> 3, (endSeq + 7) >> 3),
      rois: rois - rowRois,
      firstRoiId: this.ids.roi + BigInt(rowRois),
    };
  }
}
