import { IsImageId, IsTaskId } from '../../http/validation';

export class ImagePath {
  /**
   * the task
   * @example "2018102439652891014"
   */
  @IsTaskId()
  task_id!: string;

  /**
   * an image of the task, an `img_id` of `/images`
   * @example "2018080810000000001"
   */
  @IsImageId()
  img_id!: string;
}
