import type { EntityManager, QueryRunner } from 'typeorm';
import type { CopyPlan, CopySlice } from '../database/copy-plan';
import type { DocumentRange } from '../database/document-range';
import type { RowQuery } from '../database/row-query';
import type { CopiedLabelClass } from '../label-classes/label-class.repository';
import type { ByteSpan } from './byte-span';
import type { DocumentFault } from './document-faults';
import type { Findings } from './findings';

/** One annotation; members that the service does not know are kept as they are. */
export type Annotation = { readonly lab_class_id: number } & Readonly<Record<string, unknown>>;

/** An annotation without its class, in the forms that it is stored in. */
export interface EncodedAnnotation {
  /** Compact, UTF-8, without a backslash. */
  readonly json: ByteSpan;
  /** The class is its first member, as an int32 of any value. */
  readonly bson: ByteSpan;
}

/** What `prepare` or `prepareEncoded` has made of an annotation; only the adapter knows what it is. */
export type PreparedAnnotation = unknown;

export type Preparation = Pick<LabeledImageRepository, 'prepare' | 'prepareEncoded'>;

/** A document that is to be written. */
export interface NewDocument {
  readonly id: string;
  readonly imageId: string;
  readonly roiId: string | null;
  /** The class of each annotation. */
  readonly labClassIds: readonly number[];
  /** The annotations without their classes, as many. */
  readonly annotations: readonly PreparedAnnotation[];
}

/** An image's annotation document with the place of its image in the task. */
export interface PlacedDocument {
  /** From 1, by `order_id` among all images of the task. */
  readonly place: number;
  readonly annotations: readonly Annotation[];
}

/**
 * The annotation documents: none or one for each image, found by the image's `mongo_id`. A document never changes; an edit
 * writes a new one and moves the pointer. Every adapter passes the suite in test/contract, and nothing above this class
 * knows which one is in use. `manager` and `connection` are the transaction of the rows.
 *
 * Who writes announces the documents before (DocumentGarbageRepository): what is written and not committed is swept.
 * @throws ApiError DATABASE_AWAY, every method, when the documents' database is away
 */
export abstract class LabeledImageRepository {
  /** Whether a node that was stopped may still write a document after the transaction of its rows has failed. */
  abstract readonly canWriteLate: boolean;

  /**
   * Writes the copies of all documents that the source's images point to, with every reference rewritten: slice by slice of
   * the images, whose rows are written while it asks for the next one. Leaves no statement on its way, also when it throws.
   * A document that can't be copied (inspect() says why) is left out. Not repeatable: a new attempt has new ids.
   * @returns how many were written
   */
  abstract copy(
    manager: EntityManager,
    plan: CopyPlan,
    labelClasses: readonly CopiedLabelClass[],
    slices: AsyncGenerator<CopySlice>,
  ): Promise<number>;

  /**
   * Writes the documents that `rows` answers on this connection: (id, img_id, img_roi_id, lab_class_ids int[], the
   * annotations without their classes as json); `$1` is the task. Not repeatable.
   */
  abstract insert(manager: EntityManager, taskId: string, rows: RowQuery): Promise<void>;

  /**
   * An annotation without its class, in the form in which it waits for its document to be complete: the one that is written.
   * As an object it would cost the garbage collector more than all else.
   */
  abstract prepare(annotation: Readonly<Record<string, unknown>>): PreparedAnnotation;

  /** The same of one that is encoded already. Its bytes are overwritten afterwards. */
  abstract prepareEncoded(encoded: EncodedAnnotation): PreparedAnnotation;

  /**
   * Writes these documents: a batch, or a few, while it asks for the next one, which may use the connection meanwhile. Leaves
   * no statement on its way, also when it throws. Not repeatable.
   */
  abstract insertBatches(
    manager: EntityManager,
    taskId: string,
    batches: AsyncGenerator<readonly NewDocument[]>,
  ): Promise<void>;

  /** The annotations of one document; null where there is no such document. */
  abstract find(manager: EntityManager, taskId: string, mongoId: string): Promise<Annotation[] | null>;

  /**
   * All documents of the task, by the `order_id` of their images.
   * @throws Error when an image points to a document that is not there: nothing is left out in silence
   */
  abstract stream(connection: QueryRunner, taskId: string): AsyncGenerator<PlacedDocument[]>;

  /** What keeps documents of this task from being copied, each kind with how many and the first few. */
  abstract inspect(connection: QueryRunner, taskId: string): Promise<DocumentFault[]>;

  /**
   * Documents of a finished copy that are not, with the ids mapped back, what the source's are: every member, its type and
   * its place. `pairs` answers (id, place, mongo_id, source_id, source_mongo_id), an image of the copy and the source's with
   * their pointers; `$1` is the copy, `$2` the source. Which ROI and which class became which say the rows of the copy.
   */
  abstract compare(
    connection: QueryRunner,
    copy: { readonly target: string; readonly source: string },
    pairs: RowQuery,
  ): Promise<Findings>;

  /** In the transaction that takes the last pointers to these documents away. */
  abstract retire(manager: EntityManager, taskId: string, range: DocumentRange): Promise<void>;

  /**
   * Removes documents of the task in this range, a bounded number of them, for good.
   * @returns how many; 0 when none is left
   */
  abstract remove(taskId: string, range: DocumentRange): Promise<number>;
}
