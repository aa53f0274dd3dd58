import { ApiError } from '../errors/api-error';
import {
  ANNOTATION_DEPTH,
  ANNOTATION_HEAD_BYTES,
  DOCUMENT_BYTES_MAX,
  DOCUMENT_HEAD_BYTES,
  findFault,
} from './annotation-rules';
import { bsonBytes, UnstorableJson } from './json-measure';
import type { Annotation } from './labeled-image.repository';

/**
 * The annotations that a client sends for an image, by the rules that an import has too. Whether their classes are the
 * task's is not among them.
 * @throws ApiError NOT_AN_ANNOTATION, NOT_A_LABEL_CLASS_ID, BAD_BOX, NEGATIVE_BOX, BAD_SEGMENTATION, BAD_NUMBER, BAD_TEXT,
 * TOO_DEEP, DOCUMENT_TOO_LARGE
 */
export function checkAnnotations(values: readonly unknown[]): Annotation[] {
  const annotations = values.map((value, at) => toAnnotation(value, placeOf(at)));
  const bytes = annotations.reduce(
    (sum, annotation, at) => sum + bytesOf(annotation, placeOf(at)),
    DOCUMENT_HEAD_BYTES,
  );
  if (bytes > DOCUMENT_BYTES_MAX) throw new ApiError('DOCUMENT_TOO_LARGE');
  return annotations;
}

function placeOf(at: number): string {
  return `annotations[${String(at)}]`;
}

function toAnnotation(value: unknown, place: string): Annotation {
  if (!isObject(value)) throw new ApiError('NOT_AN_ANNOTATION', { member: place });
  const { lab_class_id, ...rest } = value;
  if (!isWhole(lab_class_id)) throw new ApiError('NOT_A_LABEL_CLASS_ID', { member: `${place}.lab_class_id` });
  const fault = findFault(rest);
  if (fault) throw new ApiError(fault, { member: `${place}.${FAULTY_MEMBERS[fault]}` });
  // The class first, as every answer shows it.
  return { lab_class_id, ...rest };
}

const FAULTY_MEMBERS = { BAD_BOX: 'bbox', NEGATIVE_BOX: 'bbox', BAD_SEGMENTATION: 'segmentation' } as const;

function bytesOf({ lab_class_id: _, ...rest }: Annotation, member: string): number {
  try {
    return ANNOTATION_HEAD_BYTES + bsonBytes(rest, ANNOTATION_DEPTH);
  } catch (fault) {
    if (!(fault instanceof UnstorableJson)) throw fault;
    throw new ApiError(PROBLEMS[fault.problem], { member }, { cause: fault });
  }
}

const PROBLEMS = { number: 'BAD_NUMBER', text: 'BAD_TEXT', depth: 'TOO_DEEP' } as const;

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value);
}
