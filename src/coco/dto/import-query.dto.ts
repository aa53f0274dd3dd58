import { Transform } from 'class-transformer';
import { IsTaskName, IsTaskType, MayBeAbsent } from '../../http/validation';
import type { TaskType } from '../../tasks/task.entity';

/** A query carries text. */
function toTaskType(value: unknown): unknown {
  return typeof value === 'string' && /^[123]$/.test(value) ? Number(value) : null;
}

export class ImportQuery {
  /**
   * creates the task where it does not exist; sets the type of a task without one
   * @example 1
   */
  @MayBeAbsent()
  @Transform(({ value }) => (value === undefined ? undefined : toTaskType(value)))
  @IsTaskType()
  task_type?: TaskType;

  /** the name of a task that is created; its id where left out */
  @MayBeAbsent()
  @IsTaskName()
  task_name?: string;
}
