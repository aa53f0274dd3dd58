import { Check, Column, Entity, PrimaryColumn, Unique } from 'typeorm';

@Entity('label_class')
@Check('label_class_name_length', 'char_length(name) BETWEEN 1 AND 200')
@Check('label_class_color_format', `color ~ '^#[0-9a-f]{6}$'`)
@Check('label_class_order_positive', 'order_id > 0')
@Unique('label_class_order', ['taskId', 'orderId'])
export class LabelClass {
  @PrimaryColumn({ name: 'task_id', type: 'bigint' })
  taskId!: string;

  @PrimaryColumn({ type: 'int', generated: 'identity', generatedIdentity: 'ALWAYS' })
  id!: number;

  @Column({ type: 'text' })
  name!: string;

  /** `#rrggbb` */
  @Column({ type: 'text' })
  color!: string;

  @Column({ name: 'order_id', type: 'int' })
  orderId!: number;

  /** The class in the source that this one is a copy of: the map of the duplication. */
  @Column({ name: 'copied_from_id', type: 'int', nullable: true })
  copiedFromId!: number | null;

  /** Members of an imported category that the service does not know. */
  @Column({ type: 'json', nullable: true })
  extra!: Record<string, unknown> | null;
}
