/** What makes an annotation unacceptable, wherever it comes from. */
export type AnnotationFault = 'BAD_BOX' | 'NEGATIVE_BOX' | 'BAD_SEGMENTATION';

/** What is kept although it looks like a mistake. */
export type AnnotationDirt = 'zero_size_box' | 'short_polygon' | 'odd_polygon';

/** A document is at most this large as BSON, in every store. */
export const DOCUMENT_BYTES_MAX = 15 * 2 ** 20;

/** What a document takes beside its annotations, with room. */
export const DOCUMENT_HEAD_BYTES = 200;

/** All annotations of a document. */
export const ANNOTATIONS_BYTES_MAX = DOCUMENT_BYTES_MAX - DOCUMENT_HEAD_BYTES;

/** Beside its members, what an annotation takes in a document: its name in the list, and `lab_class_id` as an int32. */
export const ANNOTATION_HEAD_BYTES = 28;

/** The level an annotation stands in: it is in the list of its document. */
export const ANNOTATION_DEPTH = 3;

/** Three points, the least that enclose an area. */
export const POLYGON_NUMBERS_MIN = 6;

interface Shape {
  readonly bbox?: unknown;
  readonly segmentation?: unknown;
}

/** `bbox` is `[x, y, width, height]`, `segmentation` polygons or RLE; both may be absent, null or empty. */
export function findFault({ bbox, segmentation }: Shape): AnnotationFault | null {
  if (!isAbsent(bbox)) {
    if (!isBox(bbox)) return 'BAD_BOX';
    if (bbox[2] < 0 || bbox[3] < 0) return 'NEGATIVE_BOX';
  }
  return isAbsent(segmentation) || isPolygons(segmentation) || isRle(segmentation)
    ? null
    : 'BAD_SEGMENTATION';
}

/** Of an annotation without a fault: an array is what it has to be. */
export function findDirt({ bbox, segmentation }: Shape): AnnotationDirt[] {
  const dirt: AnnotationDirt[] = [];
  if (isBox(bbox) && (bbox[2] === 0 || bbox[3] === 0)) dirt.push('zero_size_box');
  if (!Array.isArray(segmentation)) return dirt;
  const polygons = segmentation as number[][];
  if (polygons.some(({ length }) => length < POLYGON_NUMBERS_MIN)) dirt.push('short_polygon');
  if (polygons.some(({ length }) => length % 2 === 1)) dirt.push('odd_polygon');
  return dirt;
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}

function isBox(value: unknown): value is [x: number, y: number, width: number, height: number] {
  return isNumbers(value) && value.length === 4;
}

function isPolygons(value: unknown): value is number[][] {
  return Array.isArray(value) && value.every(isNumbers);
}

/** Run lengths: `{size: [height, width], counts}`, counts compressed to a string or not. */
function isRle(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const { size, counts } = value as { size?: unknown; counts?: unknown };
  return isNumbers(size) && size.length === 2 && (typeof counts === 'string' || isNumbers(counts));
}

/** JSON knows no NaN, and an overflow is refused before. */
function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'number');
}
