import type { TaskType } from '../task.entity';
import type { TaskRow } from '../task.repository';

export class TaskItem {
  /** @example "2018102439652891014" */
  task_id!: string;
  /** @example "示例任务" */
  task_name!: string;
  /**
   * 1, 2 or 3; null while the task has none
   * @example 1
   */
  task_type!: TaskType | null;
  /** @example 36 */
  image_count!: number;
  /** @example "2026-11-23T08:30:00.123456Z" */
  created_at!: string;
  /**
   * the task that this one is a copy of, or null
   * @example "2018102439652801003"
   */
  task_id_old!: string | null;

  static from(row: TaskRow): TaskItem {
    return {
      task_id: row.taskId,
      task_name: row.name,
      task_type: row.taskType,
      image_count: row.imageCount,
      created_at: row.createdAt,
      task_id_old: row.sourceTaskId,
    };
  }
}
