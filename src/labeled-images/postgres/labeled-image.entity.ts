import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * An annotation document in PostgreSQL. The class ids, the only part of an annotation that a copy rewrites, stand apart
 * from the rest, which is `json` and not `jsonb`: jsonb reorders members and rewrites numbers.
 */
@Entity('labeled_image')
// An array lookup of a class that the map does not have gives NULL: such a copy must not get in.
@Check('labeled_image_classes_known', 'array_position(lab_class_ids, NULL) IS NULL')
export class LabeledImage {
  @PrimaryColumn({ name: 'task_id', type: 'bigint' })
  taskId!: string;

  /** 24 hexadecimal digits: the installation's prefix and a reserved number. */
  @PrimaryColumn({ type: 'text', collation: 'C' })
  id!: string;

  @Column({ name: 'img_id', type: 'bigint' })
  imgId!: string;

  @Column({ name: 'img_roi_id', type: 'bigint', nullable: true })
  imgRoiId!: string | null;

  /** The class of each annotation, in their order. */
  @Column({ name: 'lab_class_ids', type: 'int', array: true })
  labClassIds!: number[];

  /** The annotations without their `lab_class_id`, as many as there are class ids. */
  @Column({ type: 'json' })
  annotations!: Record<string, unknown>[];
}
