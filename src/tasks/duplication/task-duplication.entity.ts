import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

export type DuplicationState = 'running' | 'done' | 'failed';

/**
 * The record of the latest attempt to fill a task by a duplication; the target's id is the idempotency key.
 * There is no reference to `task`: while an attempt runs, or after it failed, its target may not exist.
 */
@Entity('task_duplication')
@Check('task_duplication_state_known', `state IN ('running', 'done', 'failed')`)
@Check('task_duplication_two_tasks', 'task_id <> source_task_id')
@Check('task_duplication_finished', `(state = 'running') = (finished_at IS NULL)`)
export class TaskDuplication {
  /** The target. */
  @PrimaryColumn({ name: 'task_id', type: 'bigint' })
  taskId!: string;

  @Column({ name: 'attempt_id', type: 'uuid' })
  attemptId!: string;

  @Column({ name: 'source_task_id', type: 'bigint' })
  sourceTaskId!: string;

  @Column({ type: 'text' })
  state!: DuplicationState;

  @Column({ name: 'started_at', type: 'timestamptz' })
  startedAt!: Date;

  @Column({ name: 'finished_at', type: 'timestamptz', nullable: true })
  finishedAt!: Date | null;

  @Column({ name: 'image_count', type: 'int' })
  imageCount!: number;

  @Column({ name: 'roi_count', type: 'int' })
  roiCount!: number;

  @Column({ name: 'label_class_count', type: 'int' })
  labelClassCount!: number;

  @Column({ name: 'document_count', type: 'int' })
  documentCount!: number;

  /** The number in the id of a copied image's document is the image's id plus this. */
  @Column({ name: 'document_shift', type: 'bigint', nullable: true })
  documentShift!: string | null;

  /** The range of document ids that this attempt may write; null where the source has no image. */
  @Column({ name: 'first_document_id', type: 'text', collation: 'C', nullable: true })
  firstDocumentId!: string | null;

  @Column({ name: 'last_document_id', type: 'text', collation: 'C', nullable: true })
  lastDocumentId!: string | null;

  /** The documents of edits of the source that were reserved before this attempt and not committed in its snapshot. */
  @Column({ name: 'edits_in_flight', type: 'text', array: true, default: '{}' })
  editsInFlight!: string[];
}
