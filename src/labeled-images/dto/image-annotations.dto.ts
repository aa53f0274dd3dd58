import type { Annotation } from '../labeled-image.repository';

/** What somebody has drawn on an image. */
export class ImageAnnotations {
  /** the 24 hexadecimal digits of the annotation document, null for an image without one */
  mongo_id!: string | null;
  /** `{lab_class_id, bbox, segmentation, …}`: members that the service does not know are kept */
  annotations!: readonly Annotation[];
}
