import { Check, Column, Entity, PrimaryColumn, Unique } from 'typeorm';

/** `[x, y, width, height]` in pixels of the image. */
export type RoiBox = [x: number, y: number, width: number, height: number];

/** The region of interest that an image is cropped to, in whole pixels, inside the image; none or one for each. */
@Entity('roi_image')
@Check('roi_image_box_positive', 'x >= 0 AND y >= 0 AND width > 0 AND height > 0')
@Unique('roi_image_one_per_image', ['taskId', 'imageId'])
export class RoiImage {
  @PrimaryColumn({ name: 'task_id', type: 'bigint' })
  taskId!: string;

  @PrimaryColumn({ type: 'bigint' })
  id!: string;

  @Column({ name: 'image_id', type: 'bigint' })
  imageId!: string;

  @Column({ type: 'int' })
  x!: number;

  @Column({ type: 'int' })
  y!: number;

  @Column({ type: 'int' })
  width!: number;

  @Column({ type: 'int' })
  height!: number;

  @Column({ name: 'copied_from_id', type: 'bigint', nullable: true })
  copiedFromId!: string | null;
}
