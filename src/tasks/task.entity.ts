import { Check, Column, CreateDateColumn, Entity, Index, PrimaryColumn } from 'typeorm';

/** 1, 2 or 3: stored and returned; the service attaches no meaning. */
export type TaskType = 1 | 2 | 3;

@Entity('task')
@Check('task_id_19_digits', 'task_id >= 1000000000000000000')
@Check('task_name_length', 'char_length(name) BETWEEN 1 AND 200')
@Check('task_type_known', 'task_type IN (1, 2, 3)')
@Check('task_image_count_not_negative', 'image_count >= 0')
// Serves the history picker: newest first, by keyset.
@Index('task_newest_first', ['createdAt', 'taskId'])
export class Task {
  @PrimaryColumn({ name: 'task_id', type: 'bigint' })
  taskId!: string;

  @Column({ type: 'text' })
  name!: string;

  @Column({ name: 'task_type', type: 'smallint', nullable: true })
  taskType!: TaskType | null;

  /** Written by the transaction that writes the images: lists never count. */
  @Column({ name: 'image_count', type: 'int', default: 0 })
  imageCount!: number;

  /** `info` and `licenses` of an imported data set, as they came. */
  @Column({ name: 'coco_info', type: 'json', nullable: true })
  cocoInfo!: unknown;

  @Column({ name: 'coco_licenses', type: 'json', nullable: true })
  cocoLicenses!: unknown;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;
}
