import { Check, Column, Entity, PrimaryColumn, Unique } from 'typeorm';

/** 0, 1 or 2: stored and returned; the service attaches no meaning. */
export type SetType = 0 | 1 | 2;

/** null: nobody has annotated the image. */
export type ImageState = '已标注' | '已训练' | '已测试';

@Entity('image')
@Check('image_set_type_known', 'set_type IN (0, 1, 2)')
@Check('image_name_length', 'char_length(name) BETWEEN 1 AND 1024')
@Check('image_size_positive', 'width > 0 AND height > 0')
@Check('image_state_known', `state IN ('已标注', '已训练', '已测试')`)
@Check('image_order_positive', 'order_id > 0')
@Check('image_mongo_id_length', 'char_length(mongo_id) = 24')
// Also serves every list of a task's images.
@Unique('image_order', ['taskId', 'orderId'])
export class Image {
  @PrimaryColumn({ name: 'task_id', type: 'bigint' })
  taskId!: string;

  @PrimaryColumn({ type: 'bigint' })
  id!: string;

  @Column({ name: 'set_type', type: 'smallint' })
  setType!: SetType;

  /** The image file, by its name: files are never copied, moved or deleted. */
  @Column({ type: 'text' })
  name!: string;

  @Column({ type: 'int' })
  width!: number;

  @Column({ type: 'int' })
  height!: number;

  @Column({ type: 'text', nullable: true })
  state!: ImageState | null;

  @Column({ name: 'order_id', type: 'int' })
  orderId!: number;

  /** The image's annotation document: the only pointer to it. */
  @Column({ name: 'mongo_id', type: 'text', collation: 'C', nullable: true })
  mongoId!: string | null;

  /** The image in the source that this one is a copy of: the map of the duplication. */
  @Column({ name: 'copied_from_id', type: 'bigint', nullable: true })
  copiedFromId!: string | null;

  /** Members of an imported image that the service does not know. */
  @Column({ type: 'json', nullable: true })
  extra!: Record<string, unknown> | null;
}
