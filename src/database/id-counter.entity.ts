import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** The counter behind the ids of tasks, images, ROIs and documents: it only grows, is never reset, never used twice. */
@Entity('id_counter')
@Check('id_counter_single', 'single')
// The number is the last eleven digits of an id.
@Check('id_counter_range', 'last_number BETWEEN 0 AND 99999999999')
export class IdCounter {
  @PrimaryColumn({ type: 'boolean', default: true })
  single!: boolean;

  @Column({ name: 'last_number', type: 'bigint' })
  lastNumber!: string;
}
