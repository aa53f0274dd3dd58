import type { CocoImage } from './coco-elements';

/** Ids in more runs are as good as scattered ones. */
const RUNS_MAX = 10_000;
/** Rows of one statement: an import with a statement for each batch of documents took a tenth longer. */
const ROWS_MAX = 4_000;
/** Text of one statement's rows, which may be a megabyte each: it must not take seconds. */
const ROW_BYTES_MAX = 2 ** 26;
/** Statements begin where the bits of a byte do. */
const ROWS_STEP = 8;
/** Bits of a byte. */
const [HAS_ROI, HAS_STATE] = [1, 2];

/** Images whose ids ascend by one. */
interface Run {
  readonly firstKey: number;
  readonly firstSeq: number;
  endSeq: number;
}

/**
 * Where the images of a file stand, by their ids, as long as they are in order: ids and places that ascend, as of nearly all
 * files. A byte for each image, and a few for each gap between the ids.
 */
export class ImageIndex {
  private readonly runs: Run[] = [];
  private flags = new Uint8Array(2 ** 10);
  private isAscending = true;
  private lastOrderId: number | null = null;
  private images = 0;
  private rois = 0;
  /** Where statements end that would be too long otherwise, and the text since the last one. */
  private readonly ends: number[] = [];
  private bytes = 0;

  /** @param image the next one of the file, which has no fault; `bytes` is the length of its text */
  add({ key, orderId, roi, state }: CocoImage, bytes: number): void {
    const seq = this.images++;
    if (roi) this.rois++;
    this.weigh(bytes);
    if (!this.isAscending) return;
    this.isAscending = this.addKey(Number(key), seq) && this.isBehind(orderId, seq);
    this.lastOrderId = orderId;
    if (seq === this.flags.length) this.flags = doubled(this.flags);
    this.flags[seq] = (roi ? HAS_ROI : 0) | (state === null ? 0 : HAS_STATE);
  }

  /** Whether all were in order: then no two have the same id or place, and `find` knows them. */
  get isOrdered(): boolean {
    return this.isAscending;
  }

  get count(): number {
    return this.images;
  }

  get roiCount(): number {
    return this.rois;
  }

  /** @returns the place in the file, from 0; undefined where no image has the id */
  find(key: string): number | undefined {
    const number = Number(key); // NaN for a text in quotes
    const run = this.runs[this.runsUpTo(number) - 1];
    if (!run) return undefined;
    // The difference first: a sum of ids may be beyond 2^53.
    const seq = run.firstSeq + (number - run.firstKey);
    return seq < run.endSeq ? seq : undefined;
  }

  /** Where the rows of one statement end that begin at `seq`: some thousand, or what they may weigh. */
  rowsEnd(seq: number): number {
    const end = this.ends.find((each) => each > seq) ?? Infinity;
    return Math.min(end, seq + ROWS_MAX, this.images);
  }

  hasRoi(seq: number): boolean {
    return this.has(seq, HAS_ROI);
  }

  /** Whether the file says a state: then the image has a document, with annotations or without. */
  hasState(seq: number): boolean {
    return this.has(seq, HAS_STATE);
  }

  private weigh(bytes: number): void {
    this.bytes += bytes;
    if (this.bytes < ROW_BYTES_MAX || this.images % ROWS_STEP > 0) return;
    this.ends.push(this.images);
    this.bytes = 0;
  }

  private has(seq: number, flag: number): boolean {
    return ((this.flags[seq] ?? 0) & flag) !== 0;
  }

  private addKey(key: number, seq: number): boolean {
    const last = this.runs.at(-1);
    const lastKey = last ? last.firstKey + (last.endSeq - 1 - last.firstSeq) : -Infinity;
    if (last && key === lastKey + 1) {
      last.endSeq++;
      return true;
    }
    this.runs.push({ firstKey: key, firstSeq: seq, endSeq: seq + 1 });
    return key > lastKey && this.runs.length <= RUNS_MAX;
  }

  /** Of all images or of none the file says the place. */
  private isBehind(orderId: number | null, seq: number): boolean {
    const { lastOrderId } = this;
    if (seq === 0) return true;
    return orderId === null ? lastOrderId === null : lastOrderId !== null && orderId > lastOrderId;
  }

  /** How many runs begin with this id or a smaller one. */
  private runsUpTo(key: number): number {
    let [low, high] = [0, this.runs.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const { firstKey } = this.runs[middle]!; // the middle is below their number
      if (firstKey <= key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function doubled(flags: Uint8Array): Uint8Array<ArrayBuffer> {
  const more = new Uint8Array(2 * flags.length);
  more.set(flags);
  return more;
}
