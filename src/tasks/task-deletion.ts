import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ApiError } from '../errors/api-error';
import { ImageRepository } from '../images/image.repository';
import { RoiImageRepository } from '../images/roi-image.repository';
import { LabelClassRepository } from '../label-classes/label-class.repository';
import { DocumentGarbageRepository } from '../labeled-images/document-garbage.repository';
import { LabeledImageRepository } from '../labeled-images/labeled-image.repository';
import { AttemptRepository } from './duplication/attempt.repository';
import { TaskLock } from './task-lock';
import { TaskRepository } from './task.repository';

/** Deletes a task with all it owns. Copies of it are untouched, and its id is free for any other task. */
@Injectable()
export class TaskDeletion {
  constructor(
    private readonly lock: TaskLock,
    private readonly attempts: AttemptRepository,
    private readonly tasks: TaskRepository,
    private readonly images: ImageRepository,
    private readonly rois: RoiImageRepository,
    private readonly labelClasses: LabelClassRepository,
    private readonly labeledImages: LabeledImageRepository,
    private readonly garbage: DocumentGarbageRepository,
  ) {}

  /** @throws ApiError TASK_NOT_FOUND, TASK_BUSY, OUTCOME_UNKNOWN */
  delete(taskId: string): Promise<void> {
    return this.lock.hold(taskId, async (locked) => {
      const task = await this.tasks.find(locked.connection.manager, taskId);
      if (!task) throw new ApiError('TASK_NOT_FOUND', { id: taskId });
      await locked.transaction(
        'READ COMMITTED',
        (manager) => this.remove(manager, taskId),
        // One of the same id may have been created meanwhile. The garbage row would say less: a task may have no document,
        // and the row may have been swept.
        async (later) => (await this.tasks.find(later, taskId))?.createdAt !== task.createdAt,
      );
    });
  }

  /** The documents' ids are recorded while the images still know them; a task can only go when it owns nothing any more. */
  private async remove(manager: EntityManager, taskId: string): Promise<void> {
    for (const range of await this.images.documentRanges(manager, taskId)) {
      await this.garbage.add(manager, taskId, range, 'deleted');
      await this.labeledImages.retire(manager, taskId, range);
    }
    await this.rois.delete(manager, taskId);
    await this.images.delete(manager, taskId);
    await this.labelClasses.delete(manager, taskId);
    await this.attempts.delete(manager, taskId);
    await this.tasks.delete(manager, taskId);
  }
}
