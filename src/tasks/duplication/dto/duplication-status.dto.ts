import type { AttemptRow } from '../attempt.repository';
import type { DuplicationState } from '../task-duplication.entity';

/** How the duplication that fills a task stands; while it runs, the counts are what is planned. */
export class DuplicationStatus {
  /** @example "2018102439652891014" */
  task_id_old!: string;
  /** @example "2018102439652891056" */
  task_id!: string;
  /**
   * running, done or failed; one that failed has changed nothing and can be repeated
   * @example "done"
   */
  state!: DuplicationState;
  /** @example "2026-11-23T08:30:00.123Z" */
  started_at!: string;
  /**
   * null while it runs, and where its process died
   * @example "2026-11-23T08:30:00.456Z"
   */
  finished_at!: string | null;
  /** @example 36 */
  image_count!: number;
  /** @example 24 */
  roi_count!: number;
  /** @example 4 */
  label_class_count!: number;
  /** @example 27 */
  document_count!: number;

  static from(row: AttemptRow): DuplicationStatus {
    return {
      task_id_old: row.sourceTaskId,
      task_id: row.taskId,
      state: row.state,
      started_at: row.startedAt.toISOString(),
      finished_at: row.finishedAt?.toISOString() ?? null,
      image_count: row.imageCount,
      roi_count: row.roiCount,
      label_class_count: row.labelClassCount,
      document_count: row.documentCount,
    };
  }
}
