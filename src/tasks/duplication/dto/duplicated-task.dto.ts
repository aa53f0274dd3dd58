import { ImageItem } from '../../../images/dto/image-item.dto';
import { LabelClassItem } from '../../../label-classes/dto/label-class-item.dto';
import type { TaskType } from '../../task.entity';

/** What a duplication answers; both lists are sorted by `order_id`. */
export class DuplicatedTask {
  /**
   * 1, 2 or 3; null only where neither task has one
   * @example 1
   */
  task_type!: TaskType | null;
  image_list!: ImageItem[];
  lab_class_list!: LabelClassItem[];
}
