import { IsTaskName, IsTaskType, MayBeAbsent } from '../../http/validation';
import type { TaskType } from '../task.entity';

export class EditTaskDto {
  /**
   * 1 to 200 characters
   * @example "螺丝缺陷 2026-12"
   */
  @MayBeAbsent()
  @IsTaskName()
  task_name?: string;

  /**
   * 1, 2 or 3; only for a task that has none yet, or this one
   * @example 1
   */
  @MayBeAbsent()
  @IsTaskType()
  task_type?: TaskType;
}
