import { IsImageId, IsTaskId } from '../../http/validation';

export class ImagePath {
  /** @example "2018102439652891014" */
  @IsTaskId()
  task_id!: string;

  /** @example "2018080810000000001" */
  @IsImageId()
  img_id!: string;
}
