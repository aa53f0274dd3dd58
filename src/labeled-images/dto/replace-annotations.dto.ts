import { ApiProperty } from '@nestjs/swagger';
import { Check, IsMongoId, MayBeAbsent } from '../../http/validation';
import { ANNOTATIONS_SCHEMA } from './image-annotations.dto';

export class ReplaceAnnotationsDto {
  /** all annotations of the image: what is not among them is gone */
  @Check('NOT_ANNOTATIONS', Array.isArray)
  @ApiProperty(ANNOTATIONS_SCHEMA)
  annotations!: unknown[];

  /**
   * the document that these annotations replace, null for an image without one; where it is given and no longer the image's,
   * nothing is changed
   * @example "a3f0c2018080810000000002"
   */
  @MayBeAbsent()
  @IsMongoId()
  mongo_id?: string | null;
}
