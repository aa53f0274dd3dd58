import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  HttpStatus,
  Param,
  Patch,
  Post,
  Query,
  UseInterceptors,
} from '@nestjs/common';
import { ApiBody, ApiTags } from '@nestjs/swagger';
import { FailsWith, JSON_BODY_ERRORS } from '../errors/fails-with.decorator';
import { AnswersWith } from '../http/answers-with.decorator';
import { Envelope } from '../http/envelope.interceptor';
import { PageQuery } from '../http/page.dto';
import type { MemberStream } from '../http/streamed-answer';
import { CopyPath } from './dto/copy-path.dto';
import { CreateTaskDto } from './dto/create-task.dto';
import { DuplicateTaskDto } from './dto/duplicate-task.dto';
import { EditTaskDto } from './dto/edit-task.dto';
import { ListTasksQuery } from './dto/list-tasks.dto';
import { TaskItem } from './dto/task-item.dto';
import { TaskPage } from './dto/task-page.dto';
import { TaskPath } from './dto/task-path.dto';
import { DuplicationMaps } from './duplication/dto/duplication-maps.dto';
import { DuplicationStatus } from './duplication/dto/duplication-status.dto';
import { DuplicatedTask } from './duplication/dto/duplicated-task.dto';
import { Verification } from './duplication/dto/verification.dto';
import { DuplicationRelations } from './duplication/duplication-relations';
import { DuplicationService } from './duplication/duplication.service';
import { DuplicationVerification } from './duplication/duplication-verification';
import { TaskDeletion } from './task-deletion';
import { TasksService } from './tasks.service';

@Controller('training/tasks')
@UseInterceptors(Envelope)
export class TasksController {
  constructor(
    private readonly tasks: TasksService,
    private readonly deletion: TaskDeletion,
    private readonly duplication: DuplicationService,
    private readonly relations: DuplicationRelations,
    private readonly verification: DuplicationVerification,
  ) {}

  /**
   * Duplicate a task
   *
   * @remarks
   * Copies every image, ROI, label class and annotation document of `task_id_old` into `task_id`, with every reference
   * rewritten: all or nothing, exactly once. The same request again is answered without copying, so it is safe to repeat.
   */
  @ApiTags('duplication')
  @Post('duplication')
  @HttpCode(HttpStatus.OK)
  @AnswersWith(DuplicatedTask, {
    description: 'The new task. All ids are its own.',
    msg: '复制任务成功',
    headers: {
      'Idempotency-Replayed': {
        description: '`true` where the copy was there already',
        schema: { type: 'string' },
      },
    },
  })
  @FailsWith(
    ...JSON_BODY_ERRORS,
    'NOT_A_TASK_ID',
    'SAME_TASK',
    'SOURCE_NOT_FOUND',
    'TARGET_NOT_EMPTY',
    'TASK_TYPES_DIFFER',
    'COPY_OF_ANOTHER_TASK',
    'TASK_BUSY',
    'BROKEN_SOURCE',
    'TOO_MANY_COPIES',
    'OUTCOME_UNKNOWN',
    'DOCUMENT_ID_TAKEN',
  )
  duplicate(@Body() dto: DuplicateTaskDto): Promise<MemberStream> {
    return this.duplication.duplicate(dto);
  }

  /**
   * How the duplication stands
   *
   * @remarks
   * While it runs, the counts are what is planned. A failed one has changed nothing and can be repeated.
   */
  @ApiTags('duplication')
  @Get(':task_id/duplication')
  @AnswersWith(DuplicationStatus, { description: 'The latest duplication into this task.' })
  @FailsWith('NOT_A_TASK_ID', 'TASK_NOT_FOUND', 'NOT_A_COPY')
  status(@Param() { task_id }: CopyPath): Promise<DuplicationStatus> {
    return this.relations.status(task_id);
  }

  /**
   * Which row became which
   *
   * @remarks
   * The three relations of a finished duplication: everything in one stream, or a page of images where `limit` or `cursor`
   * is given (the class map is whole on every page).
   */
  @ApiTags('duplication')
  @Get(':task_id/duplication/maps')
  @AnswersWith(DuplicationMaps, { description: 'Old ids to new ids.' })
  @FailsWith('NOT_A_TASK_ID', 'NOT_A_LIMIT', 'NOT_A_CURSOR', 'TASK_NOT_FOUND', 'NOT_A_COPY')
  maps(@Param() { task_id }: CopyPath, @Query() query: PageQuery): MemberStream {
    return this.relations.maps(task_id, query);
  }

  /**
   * Prove that a copy is one
   *
   * @remarks
   * Compares a finished copy with its source, in one snapshot of both: the number of rows, their ids, every reference, and the
   * content of every image, ROI, label class and annotation document, mapped back: every field, its type and its place.
   *
   * Name and type of a task may be changed at any time and are not compared. The annotations of an image are not, and its
   * state may have become 已标注, where they were edited since on either side, which shows by the id of their document;
   * everything else of the image is compared. Any other difference is a fault.
   *
   * Reads both tasks whole, which takes about as long as the duplication.
   */
  @ApiTags('duplication')
  @Get(':task_id/duplication/verification')
  @AnswersWith(Verification, { description: 'What was checked, and what was found.' })
  @FailsWith('NOT_A_TASK_ID', 'TASK_NOT_FOUND', 'NOT_A_COPY')
  verify(@Param() { task_id }: CopyPath): Promise<Verification> {
    return this.verification.verify(task_id);
  }

  /**
   * Create a task
   *
   * @remarks
   * An empty task, for an import or to be the target of a duplication. Its id is made by the service where none is given.
   */
  @ApiTags('tasks')
  @Post()
  @ApiBody({
    type: CreateTaskDto,
    examples: {
      generated: {
        summary: 'the service makes the id',
        value: { task_name: '螺丝缺陷 2026-11', task_type: 1 },
      },
      given: {
        summary: 'an id of your own',
        value: { task_id: '2018102439652891099', task_name: '螺丝缺陷 2026-11' },
      },
    },
  })
  @AnswersWith(TaskItem, { status: 201, description: 'The new task, empty.' })
  @FailsWith(
    ...JSON_BODY_ERRORS,
    'NOT_A_TASK_ID',
    'NOT_A_NAME',
    'NOT_A_TASK_TYPE',
    'TASK_EXISTS',
    'TASK_BUSY',
    'OUTCOME_UNKNOWN',
  )
  create(@Body() dto: CreateTaskDto): Promise<TaskItem> {
    return this.tasks.create(dto);
  }

  /**
   * The history picker
   *
   * @remarks
   * Tasks, newest first.
   */
  @ApiTags('tasks')
  @Get()
  @AnswersWith(TaskPage, { description: 'One page of tasks.' })
  @FailsWith('NOT_A_LIMIT', 'NOT_A_CURSOR', 'NOT_A_SEARCH')
  list(@Query() query: ListTasksQuery): Promise<TaskPage> {
    return this.tasks.list(query);
  }

  /**
   * One task
   *
   * @remarks
   * As the history picker shows it; `task_id_old` names the task that it is a copy of.
   */
  @ApiTags('tasks')
  @Get(':task_id')
  @AnswersWith(TaskItem, { description: 'The task.' })
  @FailsWith('NOT_A_TASK_ID', 'TASK_NOT_FOUND')
  get(@Param() { task_id }: TaskPath): Promise<TaskItem> {
    return this.tasks.get(task_id);
  }
  /**
   * Change a task
   *
   * @remarks
   * Rename it, or give it a type while it has none. What is left out stays as it is.
   */
  @ApiTags('tasks')
  @Patch(':task_id')
  @ApiBody({
    type: EditTaskDto,
    examples: {
      rename: { summary: 'another name', value: { task_name: '示例任务' } },
      type: { summary: 'a type, where it has none', value: { task_type: 1 } },
    },
  })
  @AnswersWith(TaskItem, { description: 'The task as it is now.' })
  @FailsWith(
    ...JSON_BODY_ERRORS,
    'NOT_A_TASK_ID',
    'NOT_A_NAME',
    'NOT_A_TASK_TYPE',
    'TASK_NOT_FOUND',
    'TASK_TYPES_DIFFER',
    'TASK_BUSY',
    'OUTCOME_UNKNOWN',
  )
  edit(@Param() { task_id }: TaskPath, @Body() dto: EditTaskDto): Promise<TaskItem> {
    return this.tasks.edit(task_id, dto);
  }

  /**
   * Delete a task
   *
   * @remarks
   * With all it owns: images, ROIs, label classes and annotations, but no image file. Copies of it are untouched. Its id is
   * free again, also for a duplication.
   */
  @ApiTags('tasks')
  @Delete(':task_id')
  @AnswersWith(null, { description: 'The task is gone.' })
  @FailsWith('NOT_A_TASK_ID', 'TASK_NOT_FOUND', 'TASK_BUSY', 'OUTCOME_UNKNOWN')
  delete(@Param() { task_id }: TaskPath): Promise<void> {
    return this.deletion.delete(task_id);
  }
}
