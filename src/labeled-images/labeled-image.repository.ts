import type { EntityManager, QueryRunner } from 'typeorm';
import type { CopyPlan } from '../database/copy-plan';
import type { RowQuery } from '../database/row-query';
import type { CopiedLabelClass } from '../label-classes/label-class.repository';

/** One annotation; members that the service does not know are kept as they are. */
export type Annotation = { readonly lab_class_id: number } & Readonly<Record<string, unknown>>;

/** An image's annotation document with the place of its image in the task. */
export interface PlacedDocument {
  /** From 1, by `order_id` among all images of the task. */
  readonly place: number;
  readonly annotations: readonly Annotation[];
}

/**
 * The annotation documents: none or one for each image, found by the image's `mongo_id`. A document never changes; an edit
 * writes a new one and moves the pointer. Every adapter passes the suite in test/contract, and nothing above this class
 * knows which one is in use. `manager` is the transaction of the rows.
 */
export abstract class LabeledImageRepository {
  /**
   * Writes the copies of all documents that the source's images point to, with every reference rewritten.
   * Not repeatable: a new attempt has new ids. @returns how many were written
   */
  abstract copy(
    manager: EntityManager,
    plan: CopyPlan,
    labelClasses: readonly CopiedLabelClass[],
  ): Promise<number>;

  /**
   * Writes the documents that `rows` answers on this connection: (id, img_id, img_roi_id, lab_class_ids int[], the
   * annotations without their classes as json); `$1` is the task. Not repeatable.
   */
  abstract insert(manager: EntityManager, taskId: string, rows: RowQuery): Promise<void>;

  /** The annotations of one document; null where there is no such document. */
  abstract find(manager: EntityManager, taskId: string, mongoId: string): Promise<Annotation[] | null>;

  /** All documents of the task, by the `order_id` of their images. */
  abstract stream(connection: QueryRunner, taskId: string): AsyncGenerator<PlacedDocument[]>;
}
