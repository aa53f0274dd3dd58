import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { CopyPlan } from '../database/copy-plan';
import type { TaskType } from './task.entity';

export interface TaskRow {
  readonly taskId: string;
  readonly name: string;
  readonly taskType: TaskType | null;
  readonly imageCount: number;
  /** ISO 8601 in UTC, to the microsecond. */
  readonly createdAt: string;
  /** The task that this one is a copy of. */
  readonly sourceTaskId: string | null;
}

/** Where a page of the list begins: behind this task. */
export interface TaskPosition {
  readonly createdAt: string;
  readonly taskId: string;
}

export interface NewTask {
  readonly taskId: string;
  readonly name: string;
  readonly taskType: TaskType | null;
}

/** Counts, and where the ids of the rows lie: null where there are none. */
export interface TaskSize {
  readonly imageCount: number;
  readonly firstImageId: string | null;
  readonly lastImageId: string | null;
  /** The highest place of an image; more than there are images where there are gaps. */
  readonly lastOrderId: number;
  /** Images with an annotation document. */
  readonly documentCount: number;
  readonly roiCount: number;
  readonly firstRoiId: string | null;
  readonly lastRoiId: string | null;
  readonly labelClassCount: number;
}

/** null leaves it as it is. */
export interface TaskEdit {
  readonly name: string | null;
  readonly taskType: TaskType | null;
}

interface FilledTask extends NewTask {
  readonly imageCount: number;
  /** JSON text. */
  readonly cocoInfo: string | null;
  readonly cocoLicenses: string | null;
}

const TASK_ROW = `
  task.task_id AS "taskId", task.name, task.task_type AS "taskType", task.image_count AS "imageCount",
  to_char(task.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "createdAt",
  duplication.source_task_id AS "sourceTaskId"`;

const TASK_WITH_ORIGIN = `
  task
  LEFT JOIN task_duplication AS duplication
    ON duplication.task_id = task.task_id AND duplication.state = 'done'`;

@Injectable()
export class TaskRepository {
  async find(manager: EntityManager, taskId: string): Promise<TaskRow | null> {
    const [row] = await manager.query<TaskRow[]>(
      `SELECT ${TASK_ROW}
       FROM ${TASK_WITH_ORIGIN}
       WHERE task.task_id = $1::bigint`,
      [taskId],
    );
    return row ?? null;
  }

  /** Whether the task has any image or label class. */
  async hasContent(manager: EntityManager, taskId: string): Promise<boolean> {
    const [row] = await manager.query<{ any: boolean }[]>(
      `SELECT EXISTS (SELECT FROM image WHERE task_id = $1::bigint)
         OR EXISTS (SELECT FROM label_class WHERE task_id = $1::bigint) AS any`,
      [taskId],
    );
    return row!.any; // EXISTS always answers one row
  }

  /** How much the task holds, counted anew. */
  async measure(manager: EntityManager, taskId: string): Promise<TaskSize> {
    const [row] = await manager.query<TaskSize[]>(
      `SELECT image.*, roi.*, label_class.*
       FROM (
         SELECT
           count(*)::int AS "imageCount", min(id) AS "firstImageId", max(id) AS "lastImageId",
           coalesce(max(order_id), 0) AS "lastOrderId", count(mongo_id)::int AS "documentCount"
         FROM image
         WHERE task_id = $1::bigint
       ) AS image
       CROSS JOIN (
         SELECT count(*)::int AS "roiCount", min(id) AS "firstRoiId", max(id) AS "lastRoiId"
         FROM roi_image
         WHERE task_id = $1::bigint
       ) AS roi
       CROSS JOIN (
         SELECT count(*)::int AS "labelClassCount" FROM label_class WHERE task_id = $1::bigint
       ) AS label_class`,
      [taskId],
    );
    return row!; // aggregates always answer one row
  }

  /** @returns false where a task has this id already */
  async insert(manager: EntityManager, task: NewTask): Promise<boolean> {
    const inserted = await manager.query<unknown[]>(
      `INSERT INTO task (task_id, name, task_type)
       VALUES ($1::bigint, $2::text, $3::smallint)
       ON CONFLICT (task_id) DO NOTHING
       RETURNING 1`,
      [task.taskId, task.name, task.taskType],
    );
    return inserted.length === 1;
  }

  /** Renames the task, and gives it a type. */
  async update(manager: EntityManager, taskId: string, { name, taskType }: TaskEdit): Promise<void> {
    await manager.query(
      `UPDATE task
       SET name = coalesce($2::text, name), task_type = coalesce($3::smallint, task_type)
       WHERE task_id = $1::bigint`,
      [taskId, name, taskType],
    );
  }

  /** Once everything that the task owns is gone. */
  async delete(manager: EntityManager, taskId: string): Promise<void> {
    await manager.query(`DELETE FROM task WHERE task_id = $1::bigint`, [taskId]);
  }

  /** Creates the target as the source is; a target that exists keeps its name, and takes the source's type if it has none. */
  async copy(manager: EntityManager, { source, target, imageCount }: CopyPlan): Promise<void> {
    await manager.query(
      `INSERT INTO task (task_id, name, task_type, image_count, coco_info, coco_licenses)
       SELECT $2::bigint, name, task_type, $3::int, coco_info, coco_licenses
       FROM task
       WHERE task_id = $1::bigint
       ON CONFLICT (task_id) DO UPDATE
       SET task_type = coalesce(task.task_type, excluded.task_type),
           image_count = excluded.image_count,
           coco_info = excluded.coco_info,
           coco_licenses = excluded.coco_licenses`,
      [source, target, imageCount],
    );
  }

  /** Creates the task of an import, or fills an empty one: that keeps its name, and its type where it has one. */
  async fill(manager: EntityManager, task: FilledTask): Promise<void> {
    await manager.query(
      `INSERT INTO task (task_id, name, task_type, image_count, coco_info, coco_licenses)
       VALUES ($1::bigint, $2::text, $3::smallint, $4::int, $5::json, $6::json)
       ON CONFLICT (task_id) DO UPDATE
       SET task_type = coalesce(task.task_type, excluded.task_type),
           image_count = excluded.image_count,
           coco_info = excluded.coco_info,
           coco_licenses = excluded.coco_licenses`,
      [task.taskId, task.name, task.taskType, task.imageCount, task.cocoInfo, task.cocoLicenses],
    );
  }

  /** `info` and `licenses` of the data set that the task came from. */
  async findCocoHead(
    manager: EntityManager,
    taskId: string,
  ): Promise<{ info: unknown; licenses: unknown } | null> {
    const [row] = await manager.query<{ info: unknown; licenses: unknown }[]>(
      `SELECT coco_info AS info, coco_licenses AS licenses
       FROM task
       WHERE task_id = $1::bigint`,
      [taskId],
    );
    return row ?? null;
  }

  /** Newest first; `search` is part of a name, whatever its case, or the beginning of an id. */
  async page(
    manager: EntityManager,
    limit: number,
    after: TaskPosition | null,
    search: string | null,
  ): Promise<TaskRow[]> {
    const literal = search?.replace(/[\\%_]/g, '\\$&') ?? null;
    return manager.query<TaskRow[]>(
      `SELECT ${TASK_ROW}
       FROM ${TASK_WITH_ORIGIN}
       WHERE ($2::timestamptz IS NULL OR (task.created_at, task.task_id) < ($2::timestamptz, $3::bigint))
         AND ($4::text IS NULL
           OR task.name ILIKE '%' || $4::text || '%'
           OR task.task_id::text LIKE $4::text || '%')
       ORDER BY task.created_at DESC, task.task_id DESC
       LIMIT $1::int`,
      [limit, after?.createdAt ?? null, after?.taskId ?? null, literal],
    );
  }
}
