import { TaskItem } from './task-item.dto';

/** One page of the history picker. */
export class TaskPage {
  task_list!: TaskItem[];
  /**
   * where the next page begins; null at the end
   * @example "MTAw"
   */
  next_cursor!: string | null;
}
