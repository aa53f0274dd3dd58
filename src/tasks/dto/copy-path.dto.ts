import { IsTaskId } from '../../http/validation';

export class CopyPath {
  /**
   * the task that was filled by a duplication
   * @example "2018102439652891056"
   */
  @IsTaskId()
  task_id!: string;
}
