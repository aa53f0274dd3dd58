import { ApiExtraModels, ApiProperty, getSchemaPath } from '@nestjs/swagger';
import type { CopiedImageRow } from '../../../images/image.repository';

export class NewLabelClass {
  /** @example 16 */
  lab_class_id_new!: number;
}

/** An image's copy, with the ids of what belongs to the image on both sides. */
export class NewImageInfo {
  /** @example "2018080810000000037" */
  img_id_new!: string;
  /**
   * null for an image without a ROI
   * @example "2018080810000000109"
   */
  img_roi_id_old!: string | null;
  /**
   * null for an image without a ROI
   * @example "2018080810000000133"
   */
  img_roi_id_new!: string | null;
  /**
   * the document that the source's image has now; null without one, and once the source is gone
   * @example "a3f0c2018080810000000002"
   */
  labeled_img_id_old!: string | null;
  /**
   * the document that the copy's image has now; null without one
   * @example "a3f0c2018080810000000074"
   */
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

const mapOf = (dto: typeof NewLabelClass | typeof NewImageInfo) => ({ $ref: getSchemaPath(dto) });

/** The relations of a duplication. */
@ApiExtraModels(NewLabelClass, NewImageInfo)
export class DuplicationMaps {
  /** by `lab_class_id_old` */
  @ApiProperty({ type: 'object', additionalProperties: mapOf(NewLabelClass) })
  old_new_lab_class_map!: Record<string, NewLabelClass>;
  /** by `img_id_old` */
  @ApiProperty({ type: 'object', additionalProperties: mapOf(NewImageInfo) })
  old_new_img_info_map!: Record<string, NewImageInfo>;
  /** `img_id_old` by `img_roi_id_old` */
  roi_id_old_img_id_old!: Record<string, string>;
  /**
   * where the next page begins; null at the end
   * @example "MTAw"
   */
  next_cursor!: string | null;
}
