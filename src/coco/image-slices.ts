import type { NewDocument } from '../labeled-images/labeled-image.repository';
import type { AnnotationGroup } from './annotation-groups';
import type { ImageIndex } from './image-index';
import type { ReservedIds } from './reserved-ids';

/** Images of one statement, and their documents in memory. */
const SLICE_IMAGES_MAX = 1_000;

/** Images that follow each other in the file, from `firstSeq` to before `endSeq`, with their documents. */
export interface ImageSlice {
  readonly firstSeq: number;
  readonly endSeq: number;
  /** A bit for each image, the lowest of a byte first: 1 where annotations refer to it. */
  readonly annotated: Uint8Array;
  readonly rois: number;
  /** Of the first one. */
  readonly firstRoiId: bigint;
  readonly documents: readonly NewDocument[];
}

/** All annotations of the image that stands at `imageSeq`. */
export interface PlacedGroup {
  readonly imageSeq: number;
  readonly group: AnnotationGroup;
}

/** Cuts the images of a data set into slices as their annotations come, in the images' order. */
export class ImageSlices {
  private nextSeq = 0;
  private rois = 0;

  constructor(
    private readonly images: ImageIndex,
    private readonly ids: ReservedIds,
  ) {}

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
      const firstSeq = this.nextSeq;
      this.nextSeq = Math.min(firstSeq + SLICE_IMAGES_MAX, endSeq);
      const firstRoi = this.rois;
      const annotated = new Uint8Array(Math.ceil((this.nextSeq - firstSeq) / 8));
      const documents: NewDocument[] = [];
      for (let seq = firstSeq; seq < this.nextSeq; seq++) {
        const isAnnotated = groups[at]?.imageSeq === seq;
        if (isAnnotated) {
          setBit(annotated, seq - firstSeq);
          documents.push(this.document(seq, labClassIds[at]!, groups[at]!.group.rests)); // there are as many
          at++;
        } else if (this.images.hasState(seq)) {
          documents.push(this.document(seq, [], []));
        }
        if (this.images.hasRoi(seq)) this.rois++;
      }
      const rois = this.rois - firstRoi;
      const firstRoiId = this.ids.roi + BigInt(firstRoi);
      yield { firstSeq, endSeq: this.nextSeq, annotated, rois, firstRoiId, documents };
    }
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
}

/** As PostgreSQL's get_bit reads it. */
function setBit(bytes: Uint8Array, at: number): void {
  bytes[at >> 3] = (bytes[at >> 3] ?? 0) | (1 << (at & 7));
}
