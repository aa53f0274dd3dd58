import { ApiProperty, type ApiPropertyOptions } from '@nestjs/swagger';
import type { Annotation } from '../labeled-image.repository';

export const ANNOTATIONS_SCHEMA: ApiPropertyOptions = {
  type: 'array',
  items: {
    type: 'object',
    required: ['lab_class_id'],
    additionalProperties: true,
    properties: {
      lab_class_id: { type: 'integer', description: 'a label class of the task', example: 12 },
      bbox: {
        type: 'array',
        nullable: true,
        items: { type: 'number' },
        description: '`[x, y, width, height]` in pixels',
        example: [100, 100, 120.5, 40],
      },
      segmentation: {
        nullable: true,
        description: 'polygons, each `[x1, y1, x2, y2, …]`, or run lengths `{size, counts}`',
        example: [[200, 300, 290, 300, 245, 345]],
      },
    },
  },
};

/** What somebody has drawn on an image. */
export class ImageAnnotations {
  /**
   * the 24 hexadecimal digits of the annotation document, null for an image without one
   * @example "a3f0c2018080810000000002"
   */
  mongo_id!: string | null;

  /** members that the service does not know are kept */
  @ApiProperty(ANNOTATIONS_SCHEMA)
  annotations!: readonly Annotation[];
}
