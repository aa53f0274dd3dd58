import { Injectable } from '@nestjs/common';
import { DataSource, type QueryRunner } from 'typeorm';
import { streamInSnapshot } from '../../database/transaction';
import { ApiError } from '../../errors/api-error';
import { jsonItems } from '../../http/json-list';
import { ImageItem } from '../../images/dto/image-item.dto';
import { ImageRepository } from '../../images/image.repository';
import { LabelClassItem } from '../../label-classes/dto/label-class-item.dto';
import { LabelClassRepository } from '../../label-classes/label-class.repository';
import { TaskRepository } from '../task.repository';

/** The answer of a duplication: the target as it is now, written row by row. */
@Injectable()
export class DuplicationAnswer {
  constructor(
    private readonly dataSource: DataSource,
    private readonly tasks: TaskRepository,
    private readonly images: ImageRepository,
    private readonly labelClasses: LabelClassRepository,
  ) {}

  /** @throws ApiError TASK_NOT_FOUND when the target was deleted meanwhile */
  of(target: string): AsyncGenerator<string> {
    return streamInSnapshot(this.dataSource, (connection) => this.write(connection, target));
  }

  private async *write(connection: QueryRunner, target: string): AsyncGenerator<string> {
    const task = await this.tasks.find(connection.manager, target);
    if (!task) throw new ApiError('TASK_NOT_FOUND', { id: target });
    const labelClasses = await this.labelClasses.list(connection.manager, target);
    yield `{"code":0,"msg":"复制任务成功","task_type":${JSON.stringify(task.taskType)},"image_list":[`;
    yield* jsonItems(this.images.stream(connection, target), ImageItem.from);
    yield `],"lab_class_list":${JSON.stringify(labelClasses.map(LabelClassItem.from))}}`;
  }
}
