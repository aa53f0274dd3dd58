import type { LabelClassRow } from '../label-class.repository';

/** A label class as the duplication answers it; the order of its members is part of the contract. */
export class LabelClassItem {
  /** @example 12 */
  id!: number;
  /** @example "xxx" */
  name!: string;
  /** @example "#223344" */
  color!: string;
  /**
   * the place in the task, from 1
   * @example 1
   */
  order_id!: number;

  static from(row: LabelClassRow): LabelClassItem {
    return { id: row.id, name: row.name, color: row.color, order_id: row.orderId };
  }
}
