import type { ImageState, SetType } from '../image.entity';
import type { ImageRow, ImageWithRoiRow } from '../image.repository';

/** An image as the duplication answers it; the order of its members is part of the contract. */
export class ImageItem {
  /**
   * 0, 1 or 2
   * @example 0
   */
  set_type!: SetType;
  /** @example "xxx.jpg" */
  img_name!: string;
  /** @example "2018080810000000001" */
  img_id!: string;
  /**
   * pixels
   * @example 2000
   */
  width!: number;
  /**
   * pixels
   * @example 1000
   */
  height!: number;
  /**
   * 已标注, 已训练, 已测试, or null for an image that nobody has annotated
   * @example "已标注"
   */
  state!: ImageState | null;
  /**
   * the place in the task, from 1
   * @example 1
   */
  order_id!: number;
  /**
   * the 24 hexadecimal digits of the annotation document, null without one
   * @example "a3f0c2018080810000000002"
   */
  mongo_id!: string | null;

  static from(row: ImageRow): ImageItem {
    return {
      set_type: row.setType,
      img_name: row.name,
      img_id: row.id,
      width: row.width,
      height: row.height,
      state: row.state,
      order_id: row.orderId,
      mongo_id: row.mongoId,
    };
  }
}

/** An image with its region of interest. */
export class ImageWithRoiItem extends ImageItem {
  /**
   * null for an image without a ROI
   * @example "2018080810000000003"
   */
  img_roi_id!: string | null;
  /**
   * `[x, y, width, height]` in pixels of the image, or null
   * @example [100, 50, 1200, 800]
   */
  roi!: number[] | null;

  static override from(row: ImageWithRoiRow): ImageWithRoiItem {
    return { ...ImageItem.from(row), img_roi_id: row.roiId, roi: row.roi };
  }
}
