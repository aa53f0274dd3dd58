import mongoose from 'mongoose';
import type { CopyPlan } from '../../database/copy-plan';
import type { DocumentRange } from '../../database/document-range';
import type { IdRun } from '../../database/id-run';
import { classSubscripts } from '../../label-classes/class-subscripts';
import type { CopiedLabelClass } from '../../label-classes/label-class.repository';
import type { CopyChunk, Pointer } from './copy-chunks';

const { ObjectId } = mongoose.mongo;

type Expression = unknown;
type Condition = Record<string, unknown>;
export type Pipeline = Record<string, unknown>[];

/**
 * The pipelines that copy a chunk inside MongoDB, so that no document comes here and every BSON type stays what it is: one
 * for the documents whose ids follow from their images' by arithmetic, one for the others.
 */
export function copyPipelines(plan: CopyPlan, chunk: CopyChunk, classes: ClassRewrite): Pipeline[] {
  const rewrite = rewriteStages(plan, chunk, classes);
  const chosen = [computed(plan, chunk), listed(chunk.others)];
  return chosen
    .filter((condition) => condition !== null)
    .map((condition) => [
      { $match: { $and: [{ task_id: BigInt(plan.source) }, condition, copyable(chunk, classes)] } },
      ...rewrite,
    ]);
}

/** What the pipelines of a copy do with its classes: the same for every chunk. */
export interface ClassRewrite {
  /** Documents that can be copied. */
  readonly known: Condition;
  /** What becomes of `$$annotation`. */
  readonly annotation: Expression;
}

export function classRewrite(labelClasses: readonly CopiedLabelClass[]): ClassRewrite {
  const value = newClassId('$$annotation.lab_class_id', labelClasses);
  return {
    known: ofClasses(labelClasses.map(({ sourceId }) => sourceId)),
    // It leaves a member where it stands, and the others as they are.
    annotation: { $setField: { field: 'lab_class_id', input: '$$annotation', value } },
  };
}

/** The ids that the copies of a chunk have in the target; null where its images lie in no run. */
export function targetRange(plan: CopyPlan, { firstId, lastId, imageRuns }: CopyChunk): DocumentRange | null {
  const [first, last] = [imageRuns[0], imageRuns.at(-1)];
  if (!first || !last) return null;
  const toId = (imageId: bigint, run: IdRun): string =>
    plan.documentPrefix + String(imageId + run.shift + plan.documentShift);
  return {
    firstId: toId(firstId > first.firstId ? firstId : first.firstId, first),
    lastId: toId(lastId < last.lastId ? lastId : last.lastId, last),
  };
}

/**
 * Documents whose annotations are all of these classes; one without a list of annotations has none it knows. A query, because
 * an expression makes values of all annotations first, which takes a tenth of the copy.
 */
export function ofClasses(classIds: readonly number[]): Condition {
  const isAnother = [{ lab_class_id: { $nin: classIds } }, { lab_class_id: { $type: 'array' } }];
  return {
    annotations: { $type: 'array' },
    $nor: [
      { annotations: { $elemMatch: { $or: isAnother } } },
      { annotations: { $elemMatch: { $not: { $type: 'object' } } } },
    ],
  };
}

/** Documents that were made with their images; a replaced one may lie among them. */
function computed(
  { documentPrefix, sourceDocumentShift: shift }: CopyPlan,
  chunk: CopyChunk,
): Condition | null {
  if (shift === null) return null;
  const { firstId, lastId, others, bare } = chunk;
  const elsewhere = [...others.map(([imageId]) => imageId), ...bare];
  return {
    _id: {
      $gte: new ObjectId(documentPrefix + String(firstId + shift)),
      $lte: new ObjectId(documentPrefix + String(lastId + shift)),
    },
    img_id: { $gte: firstId, $lte: lastId, $nin: elsewhere },
    $expr: { $eq: ['$_id', documentId(documentPrefix, { $add: ['$img_id', shift] })] },
  };
}

/** Documents that are named one by one, each with its image. */
function listed(pointers: readonly Pointer[]): Condition | null {
  if (pointers.length === 0) return null;
  const imageIds = pointers.map(([imageId]) => imageId);
  const documentIds = pointers.map(([, id]) => new ObjectId(id));
  return {
    _id: { $in: documentIds },
    img_id: { $in: imageIds },
    $expr: { $eq: ['$_id', { $arrayElemAt: [documentIds, { $indexOfArray: [imageIds, '$img_id'] }] }] },
  };
}

/** Of an image and a ROI that are copied, and with classes that are: any other document is left out, and missed. */
function copyable({ imageRuns, roiRuns }: CopyChunk, { known }: ClassRewrite): Condition {
  return {
    $and: [
      { $or: imageRuns.map((run) => inRun('img_id', run)) },
      { $or: [{ img_roi_id: null }, ...roiRuns.map((run) => inRun('img_roi_id', run))] },
      known,
    ],
  };
}

/** A double would lose digits when it is shifted. */
function inRun(field: string, { firstId, lastId }: IdRun): Condition {
  return { [field]: { $type: 'long', $gte: firstId, $lte: lastId } };
}

function rewriteStages(
  { target, documentPrefix, documentShift }: CopyPlan,
  { imageRuns, roiRuns }: CopyChunk,
  classes: ClassRewrite,
): Pipeline {
  const imageId = shifted('$img_id', imageRuns);
  return [
    {
      $set: {
        _id: documentId(documentPrefix, { $add: [imageId, documentShift] }),
        task_id: BigInt(target),
        img_id: imageId,
        // A null stays one, and what is not there does not come into being.
        img_roi_id: { $cond: [{ $isNumber: '$img_roi_id' }, shifted('$img_roi_id', roiRuns), '$img_roi_id'] },
        annotations: { $map: { input: '$annotations', as: 'annotation', in: classes.annotation } },
      },
    },
    { $merge: { into: 'labeled_image', on: '_id', whenMatched: 'fail', whenNotMatched: 'insert' } },
  ];
}

/** Of a class that is not there both forms would give another one's; such a document does not come here. */
function newClassId(classId: string, labelClasses: readonly CopiedLabelClass[]): Expression {
  const subscripts = classSubscripts(labelClasses);
  if (subscripts) return { $arrayElemAt: [subscripts.newIds, { $subtract: [classId, subscripts.firstId] }] };
  const place = { $indexOfArray: [labelClasses.map(({ sourceId }) => sourceId), classId] };
  return { $arrayElemAt: [labelClasses.map(({ id }) => id), place] };
}

/** An id that lies in one of the runs, plus the shift of its run. */
function shifted(field: string, runs: readonly IdRun[]): Expression {
  const [only] = runs;
  if (!only) return null;
  if (runs.length === 1) return { $add: [field, only.shift] };
  const branches = runs.map(({ lastId, shift }) => ({ case: { $lte: [field, lastId] }, then: shift }));
  return { $add: [field, { $switch: { branches, default: null } }] };
}

/** The prefix and a number are 24 hexadecimal digits. */
function documentId(prefix: string, number: Expression): Expression {
  return {
    // Of a document that is not ours the number may be no number: it is no reason to fail.
    $convert: { input: { $concat: [prefix, { $toString: number }] }, to: 'objectId', onError: null },
  };
}
