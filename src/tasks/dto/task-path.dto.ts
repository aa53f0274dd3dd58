import { IsTaskId } from '../../http/validation';

export class TaskPath {
  /**
   * the task
   * @example "2018102439652891014"
   */
  @IsTaskId()
  task_id!: string;
}
