import { IsTaskId, IsTaskName, IsTaskType, MayBeAbsent } from '../../http/validation';
import type { TaskType } from '../task.entity';

export class CreateTaskDto {
  /** 19 digits; made by the service where it is left out */
  @MayBeAbsent()
  @IsTaskId()
  task_id?: string;

  /**
   * 1 to 200 characters
   * @example "螺丝缺陷 2026-11"
   */
  @IsTaskName()
  task_name!: string;

  /**
   * 1, 2 or 3; a task without one takes that of the first task copied into it
   * @example 1
   */
  @MayBeAbsent()
  @IsTaskType()
  task_type?: TaskType;
}
