import { isName } from '../../http/validation';
import type { ImageState, SetType } from '../../images/image.entity';
import type { RoiBox } from '../../images/roi-image.entity';
import {
  ANNOTATION_DEPTH,
  ANNOTATION_HEAD_BYTES,
  findDirt,
  findFault,
} from '../../labeled-images/annotation-rules';
import type { PreparedAnnotation, Preparation } from '../../labeled-images/labeled-image.repository';
import { bsonBytes, UnstorableJson } from '../../labeled-images/json-measure';
import { isTooLarge } from './annotation-groups';
import { PROBLEM_FAULTS, type DataSetFault } from '../data-set-faults';
import type { ImportReport } from '../import-report';

/** An element of one of the arrays, as it stands in the file. */
export type CocoElement = Readonly<Record<string, unknown>>;

/** An id of the file: a number or a text, told apart by its JSON text. */
type Key = string;

export interface CocoImage {
  readonly key: Key;
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly setType: SetType;
  readonly state: ImageState | null;
  readonly orderId: number | null;
  readonly roi: RoiBox | null;
  /** JSON of the members that the service does not know. */
  readonly extra: string | null;
}

export interface CocoCategory {
  readonly key: Key;
  readonly name: string;
  readonly color: string | null;
  readonly extra: string | null;
}

export interface CocoAnnotation {
  /** A number as itself: a text for each would be garbage. */
  readonly key: number | Key | null;
  readonly imageKey: Key;
  readonly categoryKey: Key;
  /** What goes into the document beside the class; nothing where it is too large for one. */
  readonly rest: PreparedAnnotation;
  /** What that takes in a document. */
  readonly bsonBytes: number;
}

const INT_MAX = 2 ** 31 - 1;
/** For the unknown members of an image or a category: those of many rows are in memory at once when they are exported. */
const EXTRA_BYTES_MAX = 2 ** 20;
const STATES: readonly unknown[] = ['已标注', '已训练', '已测试'];

/**
 * Reads one image of a data set.
 * @returns null where it has a fault, which is reported
 */
export function readImage(element: CocoElement, index: number, report: ImportReport): CocoImage | null {
  const {
    id,
    file_name,
    width,
    height,
    set_type = 0,
    state = null,
    roi = null,
    order_id,
    img_id: _,
    ...rest
  } = element;
  const key = keyOf(id);
  const at = (): string => placeOf('images', index, key);
  const check = faultsOf(report, at);
  check(key !== null, 'BAD_IMAGE_ID');
  check(isName(file_name, 1024), 'BAD_FILE_NAME');
  const hasSize = check(isWhole(width, 1) && isWhole(height, 1), 'BAD_IMAGE_SIZE');
  check(isWhole(set_type, 0, 2), 'BAD_SET_TYPE');
  check(state === null || STATES.includes(state), 'BAD_STATE');
  check(roi === null || !hasSize || isRoi(roi, Number(width), Number(height)), 'BAD_ROI');
  check(order_id === undefined || isWhole(order_id, 1), 'BAD_ORDER_ID');
  const extra = toExtra(rest, check);
  if (!check.passed) return null;
  if (key === '0') report.warn('image_id_zero', at());
  return {
    key: key!, // a fault otherwise, as with what is asserted below
    name: file_name as string,
    width: width as number,
    height: height as number,
    setType: set_type as SetType,
    state: state as ImageState | null,
    orderId: (order_id as number | undefined) ?? null,
    roi: roi as RoiBox | null,
    extra,
  };
}

/** @returns null where it has a fault, which is reported */
export function readCategory(element: CocoElement, index: number, report: ImportReport): CocoCategory | null {
  const { id, name, color, ...rest } = element;
  const key = keyOf(id);
  const at = (): string => placeOf('categories', index, key);
  const check = faultsOf(report, at);
  check(key !== null, 'BAD_CATEGORY_ID');
  check(isName(name, 200), 'BAD_CATEGORY_NAME');
  check(color === undefined || (typeof color === 'string' && /^#[0-9a-f]{6}$/i.test(color)), 'BAD_COLOR');
  const extra = toExtra(rest, check);
  if (!check.passed) return null;
  if (key === '0') report.warn('category_id_zero', at());
  return {
    key: key!, // a fault otherwise
    name: name as string,
    color: (color as string | undefined)?.toLowerCase() ?? null,
    extra,
  };
}

/** @returns null where it has a fault, which is reported */
export function readAnnotation(
  element: CocoElement,
  index: number,
  report: ImportReport,
  preparation: Pick<Preparation, 'prepare'>,
): CocoAnnotation | null {
  const { id, image_id, category_id, lab_class_id, ...rest } = element;
  const key = keyOf(id);
  const imageKey = keyOf(image_id);
  const categoryKey = keyOf(category_id);
  const at = (): string => placeOf('annotations', index, key);
  const check = faultsOf(report, at);
  check(imageKey !== null, 'UNKNOWN_IMAGE');
  check(categoryKey !== null, 'UNKNOWN_CATEGORY');
  const fault = findFault(rest);
  if (fault) check(false, fault);
  const bytes = measure(rest, ANNOTATION_DEPTH, check);
  if (!check.passed) return null;
  for (const dirt of findDirt(rest)) report.warn(dirt, at());
  if (key === null) report.warn('annotation_without_id', at());
  if (key === '0') report.warn('annotation_id_zero', at());
  // The name of the class in a document: what stands there in a file belongs to another data set.
  if (lab_class_id !== undefined) report.warn('reserved_member_left_out', `${at()}.lab_class_id`);
  return {
    key: key !== null && typeof id === 'number' ? Number(key) : key,
    imageKey: imageKey!, // a fault otherwise, as the next
    categoryKey: categoryKey!,
    // What is too large is encoded for nothing, and more than BSON's serializer takes.
    rest: isTooLarge(ANNOTATION_HEAD_BYTES + bytes) ? null : preparation.prepare(rest),
    bsonBytes: bytes,
  };
}

/** Asked for only where something is to be said about it. */
function placeOf(member: string, index: number, key: Key | null): string {
  return `${member}[${String(index)}]${key === null ? '' : ` (id ${key})`}`;
}

interface Check {
  (passes: boolean, fault: DataSetFault): boolean;
  passed: boolean;
}

function faultsOf(report: ImportReport, at: () => string): Check {
  const check: Check = (passes, fault) => {
    if (!passes) {
      report.fault(fault, at());
      check.passed = false;
    }
    return passes;
  };
  check.passed = true;
  return check;
}

function keyOf(id: unknown): Key | null {
  if (typeof id === 'string') return isName(id, 1024) ? JSON.stringify(id) : null;
  return Number.isSafeInteger(id) ? String(id) : null;
}

function isWhole(value: unknown, min: number, max = INT_MAX): value is number {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
}

function isRoi(value: unknown, imageWidth: number, imageHeight: number): value is RoiBox {
  if (!Array.isArray(value) || value.length !== 4) return false;
  const [x, y, width, height] = value as unknown[];
  return (
    isWhole(x, 0) && isWhole(y, 0) && isWhole(width, 1, imageWidth - x) && isWhole(height, 1, imageHeight - y)
  );
}

function toExtra(rest: CocoElement, check: Check): string | null {
  if (Object.keys(rest).length === 0) return null;
  check(measure(rest, 1, check) <= EXTRA_BYTES_MAX, 'EXTRA_TOO_LARGE');
  return check.passed ? JSON.stringify(rest) : null;
}

function measure(value: unknown, depth: number, check: Check): number {
  try {
    return bsonBytes(value, depth);
  } catch (fault) {
    if (!(fault instanceof UnstorableJson)) throw fault;
    check(false, PROBLEM_FAULTS[fault.problem]);
    return 0;
  }
}
