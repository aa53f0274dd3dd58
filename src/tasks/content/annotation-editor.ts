import { Injectable } from '@nestjs/common';
import type { EntityManager, QueryRunner } from 'typeorm';
import { documentRange } from '../../database/document-range';
import { reserveIds } from '../../database/id-allocator';
import { documentPrefix } from '../../database/installation';
import { inTransaction } from '../../database/transaction';
import { ApiError } from '../../errors/api-error';
import { ImageRepository } from '../../images/image.repository';
import { LabelClassRepository } from '../../label-classes/label-class.repository';
import { checkAnnotations } from '../../labeled-images/checked-annotations';
import {
  DocumentGarbageRepository,
  type AnnouncedWrite,
} from '../../labeled-images/document-garbage.repository';
import type { ImageAnnotations } from '../../labeled-images/dto/image-annotations.dto';
import type { ReplaceAnnotationsDto } from '../../labeled-images/dto/replace-annotations.dto';
import { LabeledImageRepository, type Annotation } from '../../labeled-images/labeled-image.repository';
import { newDocument } from '../../labeled-images/new-document';
import type { ImagePath } from '../dto/image-path.dto';
import { tryLock, type LockedConnection } from '../locked-connection';
import { Sweeper } from '../sweeper';
import { Busy, TaskLock } from '../task-lock';
import { TaskRepository } from '../task.repository';

interface Edit {
  readonly taskId: string;
  readonly imageId: string;
  readonly annotations: readonly Annotation[];
  /** The document that the client has seen; undefined where he does not mind which one it is. */
  readonly expected: string | null | undefined;
}

/**
 * Replaces the annotations of an image: by a new document and a move of the pointer, since a document never changes. Whoever
 * reads or copies the task meanwhile sees the old annotations or the new ones.
 */
@Injectable()
export class AnnotationEditor {
  constructor(
    private readonly lock: TaskLock,
    private readonly tasks: TaskRepository,
    private readonly images: ImageRepository,
    private readonly labelClasses: LabelClassRepository,
    private readonly labeledImages: LabeledImageRepository,
    private readonly garbage: DocumentGarbageRepository,
    private readonly sweeper: Sweeper,
  ) {}

  /**
   * @throws ApiError those of checkAnnotations; TASK_NOT_FOUND, IMAGE_NOT_FOUND, UNKNOWN_LABEL_CLASS, ANNOTATIONS_CHANGED,
   * TASK_BUSY, OUTCOME_UNKNOWN
   */
  async replace(
    { task_id: taskId, img_id: imageId }: ImagePath,
    { annotations: values, mongo_id }: ReplaceAnnotationsDto,
  ): Promise<ImageAnnotations> {
    const annotations = checkAnnotations(values);
    const edit = { taskId, imageId, annotations, expected: mongo_id?.toLowerCase() ?? mongo_id };
    const mongoId = await this.lock.hold(taskId, (locked) => this.attempt(locked, edit), 'shared');
    return { mongo_id: mongoId, annotations };
  }

  /** @returns the id of the new document */
  private async attempt(locked: LockedConnection, edit: Edit): Promise<string | Busy> {
    const { connection } = locked;
    await this.check(connection.manager, edit);
    // Edits of one image take turns here, and who waits holds no connection; who waited for the row would hold one.
    if (!(await tryLock(connection, edit.imageId, 'exclusive'))) return new Busy(edit.taskId);
    const announced = await this.announce(connection, edit.taskId);
    try {
      await locked.transaction(
        'READ COMMITTED',
        (manager) => this.write(manager, edit, announced),
        async (later) => !(await this.garbage.exists(later, announced.id)),
      );
      return announced.firstId;
    } catch (error) {
      await this.sweeper.abandonEdit(locked, announced, error);
      throw error;
    }
  }

  /** Refuses what can be refused before anything is written. */
  private async check(manager: EntityManager, edit: Edit): Promise<void> {
    const { taskId, imageId, annotations } = edit;
    if (!(await this.tasks.find(manager, taskId))) throw new ApiError('TASK_NOT_FOUND', { id: taskId });
    const image = await this.images.findPointer(manager, taskId, imageId);
    if (!image) throw new ApiError('IMAGE_NOT_FOUND', { id: taskId, image: imageId });
    const classes = new Set((await this.labelClasses.list(manager, taskId)).map(({ id }) => id));
    const unknown = annotations.findIndex(({ lab_class_id }) => !classes.has(lab_class_id));
    if (unknown >= 0) {
      const member = `annotations[${String(unknown)}].lab_class_id`;
      throw new ApiError('UNKNOWN_LABEL_CLASS', { member, id: taskId });
    }
    checkExpected(edit, image.mongoId);
  }

  /**
   * Reserves the new document's id and announces it, in one transaction: who reserves a number waits for who reserved the one
   * before. So an edit whose number is smaller than a copy's is, in the snapshot of that copy, either announced or decided.
   */
  private announce(connection: QueryRunner, taskId: string): Promise<AnnouncedWrite> {
    return inTransaction(connection, 'READ COMMITTED', async (manager) => {
      const prefix = await documentPrefix(manager);
      const range = documentRange(prefix, await reserveIds(manager, 1), 1);
      return this.garbage.announce(manager, taskId, range, 'edit');
    });
  }

  private async write(manager: EntityManager, edit: Edit, announced: AnnouncedWrite): Promise<void> {
    const { taskId, imageId } = edit;
    const mongoId = announced.firstId;
    // What is replaced is what the locked row says: an earlier look may be of a document that is long gone.
    const image = await this.images.findPointer(manager, taskId, imageId, 'FOR UPDATE');
    if (!image) throw new ApiError('IMAGE_NOT_FOUND', { id: taskId, image: imageId });
    checkExpected(edit, image.mongoId);
    await this.labeledImages.insert(manager, taskId, newDocument({ mongoId, ...edit }));
    await this.images.movePointer(manager, taskId, imageId, mongoId);
    await this.garbage.withdraw(manager, announced);
    if (image.mongoId !== null) await this.discard(manager, taskId, image.mongoId);
  }

  private async discard(manager: EntityManager, taskId: string, mongoId: string): Promise<void> {
    const range = { firstId: mongoId, lastId: mongoId };
    await this.garbage.add(manager, taskId, range, 'replaced');
    await this.labeledImages.retire(manager, taskId, range);
  }
}

/** @throws ApiError ANNOTATIONS_CHANGED */
function checkExpected({ expected, imageId: image }: Edit, current: string | null): void {
  if (expected === undefined || expected === current) return;
  throw new ApiError('ANNOTATIONS_CHANGED', { image, current: String(current) });
}
