import { IsTaskId } from '../../http/validation';

export class DuplicateTaskDto {
  /**
   * the task to copy, which the user picked from history
   * @example "2018102439652891014"
   */
  @IsTaskId()
  task_id_old!: string;

  /**
   * the task to fill; it is created where it does not exist
   * @example "2018102439652891056"
   */
  @IsTaskId()
  task_id!: string;
}
