import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { reserveIds } from '../database/id-allocator';
import { ApiError } from '../errors/api-error';
import { decodeCursor, encodeCursor } from '../http/cursor-text';
import { cutPage, limitOf } from '../http/page.dto';
import { isId } from '../http/validation';
import type { CreateTaskDto } from './dto/create-task.dto';
import type { EditTaskDto } from './dto/edit-task.dto';
import type { ListTasksQuery } from './dto/list-tasks.dto';
import { TaskItem } from './dto/task-item.dto';
import type { TaskPage } from './dto/task-page.dto';
import type { LockedConnection } from './locked-connection';
import { TaskLock } from './task-lock';
import {
  TaskRepository,
  type NewTask,
  type TaskEdit,
  type TaskPosition,
  type TaskRow,
} from './task.repository';

@Injectable()
export class TasksService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly lock: TaskLock,
    private readonly tasks: TaskRepository,
  ) {}

  /** @throws ApiError TASK_EXISTS, or TASK_BUSY while a task of this id is being written */
  async create({ task_id, task_name: name, task_type }: CreateTaskDto): Promise<TaskItem> {
    const taskId = task_id ?? (await this.freeId());
    const created = await this.lock.hold(taskId, (locked) =>
      this.insert(locked, { taskId, name, taskType: task_type ?? null }),
    );
    return TaskItem.from(created);
  }

  /** @throws ApiError TASK_NOT_FOUND, TASK_TYPES_DIFFER, TASK_BUSY, OUTCOME_UNKNOWN */
  async edit(taskId: string, { task_name, task_type }: EditTaskDto): Promise<TaskItem> {
    const edit = { name: task_name ?? null, taskType: task_type ?? null };
    return TaskItem.from(await this.lock.hold(taskId, (locked) => this.update(locked, taskId, edit)));
  }

  /** @throws ApiError TASK_NOT_FOUND */
  async get(taskId: string): Promise<TaskItem> {
    return TaskItem.from(await this.require(this.dataSource.manager, taskId));
  }

  /** The history picker: newest first. */
  async list(query: ListTasksQuery): Promise<TaskPage> {
    const limit = limitOf(query);
    const after = query.cursor === undefined ? null : decodePosition(query.cursor);
    const rows = await this.tasks.page(this.dataSource.manager, limit + 1, after, query.search ?? null);
    const { items, nextCursor } = cutPage(rows, limit, encodePosition);
    return { task_list: items.map(TaskItem.from), next_cursor: nextCursor };
  }

  private async insert(locked: LockedConnection, task: NewTask): Promise<TaskRow> {
    let created: TaskRow | null = null;
    await locked.transaction(
      'READ COMMITTED',
      async (manager) => {
        if (!(await this.tasks.insert(manager, task))) throw new ApiError('TASK_EXISTS', { id: task.taskId });
        created = await this.tasks.find(manager, task.taskId);
      },
      // Nobody else made one of this id in the same microsecond: the lock was ours.
      async (manager) => (await this.tasks.find(manager, task.taskId))?.createdAt === created?.createdAt,
    );
    return created!; // committed
  }

  private update(locked: LockedConnection, taskId: string, edit: TaskEdit): Promise<TaskRow> {
    return locked.transaction(
      'READ COMMITTED',
      async (manager) => {
        checkType(await this.require(manager, taskId), edit);
        await this.tasks.update(manager, taskId, edit);
        return this.require(manager, taskId);
      },
      // Who else made it so meanwhile does not matter.
      async (later) => isAsWanted(await this.tasks.find(later, taskId), edit),
    );
  }

  /** @throws ApiError TASK_NOT_FOUND */
  private async require(manager: EntityManager, taskId: string): Promise<TaskRow> {
    const task = await this.tasks.find(manager, taskId);
    if (!task) throw new ApiError('TASK_NOT_FOUND', { id: taskId });
    return task;
  }

  /** A new id; one that a client chose already is skipped. */
  private async freeId(): Promise<string> {
    for (;;) {
      const id = String(await reserveIds(this.dataSource.manager, 1));
      if (!(await this.tasks.find(this.dataSource.manager, id))) return id;
    }
  }
}

/**
 * A type is given once: what was labelled, and what was copied, is of that type.
 * @throws ApiError TASK_TYPES_DIFFER
 */
function checkType({ taskId: id, taskType: actual }: TaskRow, { taskType: wanted }: TaskEdit): void {
  if (wanted === null || actual === null || wanted === actual) return;
  throw new ApiError('TASK_TYPES_DIFFER', { id, wanted, actual });
}

function isAsWanted(task: TaskRow | null, { name, taskType }: TaskEdit): boolean {
  return task !== null && task.name === (name ?? task.name) && task.taskType === (taskType ?? task.taskType);
}

function encodePosition({ createdAt, taskId }: TaskRow): string {
  return encodeCursor(createdAt, taskId);
}

/** @throws ApiError NOT_A_CURSOR */
function decodePosition(cursor: string): TaskPosition {
  const [createdAt, taskId] = decodeCursor(cursor, /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) (\d{19})$/);
  if (!createdAt || !isId(taskId) || Number.isNaN(Date.parse(createdAt))) {
    throw new ApiError('NOT_A_CURSOR', { member: 'cursor' });
  }
  return { createdAt, taskId };
}
