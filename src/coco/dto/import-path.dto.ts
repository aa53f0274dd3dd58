import { IsTaskId } from '../../http/validation';

export class ImportPath {
  /**
   * the task to import into: an empty one, or one that is created
   * @example "2018102439652891077"
   */
  @IsTaskId()
  task_id!: string;
}
