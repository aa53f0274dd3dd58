import { Injectable } from '@nestjs/common';
import { DataSource, type QueryRunner } from 'typeorm';
import { streamInSnapshot } from '../../database/transaction';
import { ApiError } from '../../errors/api-error';
import { jsonItems } from '../../http/json-list';
import { MemberStream } from '../../http/streamed-answer';
import { ImageRepository } from '../../images/image.repository';
import { LabelClassItem } from '../../label-classes/dto/label-class-item.dto';
import { LabelClassRepository } from '../../label-classes/label-class.repository';
import { TaskRepository } from '../task.repository';

/** In every language: the front end compares it. */
const SUCCESS = '复制任务成功';

/** The answer of a duplication: the target as it is now, written row by row. */
@Injectable()
export class DuplicationAnswer {
  constructor(
    private readonly dataSource: DataSource,
    private readonly tasks: TaskRepository,
    private readonly images: ImageRepository,
    private readonly labelClasses: LabelClassRepository,
  ) {}

  /** `replayed`: nothing was copied for this answer. Reading it throws TASK_NOT_FOUND when the target is gone meanwhile. */
  of(target: string, replayed: boolean): MemberStream {
    const members = streamInSnapshot(this.dataSource, (connection) => this.write(connection, target));
    return new MemberStream(members, SUCCESS, replayed ? { 'Idempotency-Replayed': 'true' } : {});
  }

  private async *write(connection: QueryRunner, target: string): AsyncGenerator<string> {
    const task = await this.tasks.find(connection.manager, target);
    if (!task) throw new ApiError('TASK_NOT_FOUND', { id: target });
    const labelClasses = await this.labelClasses.list(connection.manager, target);
    yield `"task_type":${JSON.stringify(task.taskType)},"image_list":[`;
    yield* jsonItems(this.images.streamItems(connection, target), ({ item }) => item);
    yield `],"lab_class_list":${JSON.stringify(labelClasses.map(LabelClassItem.from))}`;
  }
}
