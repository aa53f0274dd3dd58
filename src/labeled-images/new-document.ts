import type { RowQuery } from '../database/row-query';
import type { Annotation } from './labeled-image.repository';

export interface EditedDocument {
  readonly mongoId: string;
  readonly imageId: string;
  readonly annotations: readonly Annotation[];
}

/** One row for `LabeledImageRepository.insert`, with the ROI that the image has. */
export function newDocument({ mongoId, imageId, annotations }: EditedDocument): RowQuery {
  return {
    sql: `SELECT
            $2::text, $3::bigint,
            (SELECT id FROM roi_image WHERE task_id = $1::bigint AND image_id = $3::bigint),
            $4::int[], $5::json`,
    parameters: [
      mongoId,
      imageId,
      annotations.map(({ lab_class_id }) => lab_class_id),
      JSON.stringify(annotations.map(({ lab_class_id: _, ...rest }) => rest)),
    ],
  };
}
