import type { DocumentPlace } from './staging.repository';

/** All images of a data set, where their ids in the file are numbers that ascend by one, and their places do, too. */
export interface PlacedImageRun {
  readonly firstKey: number;
  readonly firstId: string;
  /** The number in the id of the first document. */
  readonly firstDocument: string;
  /** null where no image has a ROI. */
  readonly firstRoiId: string | null;
  /** A digit for each image: 1 where it has a ROI. */
  readonly rois: string;
}

/** The places of such images by arithmetic, with four bytes for each. */
export class ImageRun {
  private readonly firstKey: number;
  private readonly firstId: bigint;
  private readonly firstDocument: bigint;
  private readonly firstRoiId: bigint;
  /** Of each image, and behind the last one: how many before it have a ROI. */
  private readonly roisBefore: Uint32Array;

  constructor(
    run: PlacedImageRun,
    private readonly documentPrefix: string,
  ) {
    this.firstKey = run.firstKey;
    this.firstId = BigInt(run.firstId);
    this.firstDocument = BigInt(run.firstDocument);
    this.firstRoiId = BigInt(run.firstRoiId ?? 0); // not asked for where there is none
    this.roisBefore = countBefore(run.rois);
  }

  /** undefined where no image has the key */
  find(key: string): DocumentPlace | undefined {
    const seq = Number(key) - this.firstKey; // NaN for a text in quotes
    const [before, after] = [this.roisBefore[seq], this.roisBefore[seq + 1]];
    if (before === undefined || after === undefined) return undefined;
    return {
      seq,
      id: this.documentPrefix + String(this.firstDocument + BigInt(seq)),
      imageId: String(this.firstId + BigInt(seq)),
      roiId: after > before ? String(this.firstRoiId + BigInt(before)) : null,
    };
  }
}

function countBefore(rois: string): Uint32Array {
  const counts = new Uint32Array(rois.length + 1);
  for (let at = 0; at < rois.length; at++) counts[at + 1] = counts[at]! + (rois[at] === '1' ? 1 : 0); // was set
  return counts;
}
