import type { CopiedImageRow } from '../../../images/image.repository';

export class NewLabelClass {
  lab_class_id_new!: number;
}

/** An image's copy, with the ids of what belongs to the image on both sides. */
export class NewImageInfo {
  /** @example "2018080810000000001" */
  img_id_new!: string;
  img_roi_id_old!: string | null;
  img_roi_id_new!: string | null;
  /** the document that the source's image has now; null once the source is gone */
  labeled_img_id_old!: string | null;
  labeled_img_id_new!: string | null;

  static from(row: CopiedImageRow): NewImageInfo {
    return {
      img_id_new: row.id,
      img_roi_id_old: row.sourceRoiId,
      img_roi_id_new: row.roiId,
      labeled_img_id_old: row.sourceMongoId,
      labeled_img_id_new: row.mongoId,
    };
  }
}

/** The relations of a duplication. */
export class DuplicationMaps {
  /** by `lab_class_id_old` */
  old_new_lab_class_map!: Record<string, NewLabelClass>;
  /** by `img_id_old` */
  old_new_img_info_map!: Record<string, NewImageInfo>;
  /** by `img_roi_id_old` */
  roi_id_old_img_id_old!: Record<string, string>;
  /** where the next page begins; null at the end */
  next_cursor!: string | null;
}
