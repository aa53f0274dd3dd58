import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { CopyPlan } from '../database/copy-plan';
import type { RowQuery } from '../database/row-query';

export interface LabelClassRow {
  readonly id: number;
  readonly name: string;
  readonly color: string;
  readonly orderId: number;
  readonly extra: Record<string, unknown> | null;
}

/** A class of the source and its copy. */
export interface CopiedLabelClass {
  readonly sourceId: number;
  readonly id: number;
}

@Injectable()
export class LabelClassRepository {
  /** Inserts the copies of all classes of the source; gaps of `order_id` close up. */
  async copy(manager: EntityManager, plan: CopyPlan): Promise<CopiedLabelClass[]> {
    return manager.query<CopiedLabelClass[]>(
      `INSERT INTO label_class (task_id, name, color, order_id, copied_from_id, extra)
       SELECT $2::bigint, name, color, row_number() OVER (ORDER BY order_id), id, extra
       FROM label_class
       WHERE task_id = $1::bigint
       ORDER BY order_id
       RETURNING copied_from_id AS "sourceId", id`,
      [plan.source, plan.target],
    );
  }

  /** Inserts rows of (id, name, color, order_id, extra); `$1` is the task. */
  async insert(manager: EntityManager, taskId: string, rows: RowQuery): Promise<void> {
    await manager.query(
      `INSERT INTO label_class (task_id, id, name, color, order_id, extra)
       OVERRIDING SYSTEM VALUE
       SELECT $1::bigint, class.*
       FROM (${rows.sql}) AS class`,
      [taskId, ...rows.parameters],
    );
  }

  /** Deletes all classes of the task. */
  async delete(manager: EntityManager, taskId: string): Promise<void> {
    await manager.query(`DELETE FROM label_class WHERE task_id = $1::bigint`, [taskId]);
  }

  /** All classes of the task by `order_id`: a few hundred at the most. */
  async list(manager: EntityManager, taskId: string): Promise<LabelClassRow[]> {
    return manager.query<LabelClassRow[]>(
      `SELECT id, name, color, order_id AS "orderId", extra
       FROM label_class
       WHERE task_id = $1::bigint
       ORDER BY order_id`,
      [taskId],
    );
  }

  /** The classes of a copy with those they come from, by `order_id`; not what was imported into an empty copy afterwards. */
  async listCopied(manager: EntityManager, taskId: string): Promise<CopiedLabelClass[]> {
    return manager.query<CopiedLabelClass[]>(
      `SELECT copied_from_id AS "sourceId", id
       FROM label_class
       WHERE task_id = $1::bigint
         AND copied_from_id IS NOT NULL
       ORDER BY order_id`,
      [taskId],
    );
  }
}
