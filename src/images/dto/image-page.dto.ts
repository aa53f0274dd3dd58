import { ImageWithRoiItem } from './image-item.dto';

/** One page of a task's images, by `order_id`. */
export class ImagePage {
  image_list!: ImageWithRoiItem[];
  /**
   * where the next page begins; null at the end
   * @example "MTAw"
   */
  next_cursor!: string | null;
}
