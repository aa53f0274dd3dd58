import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { inSnapshot } from '../../database/transaction';
import { ApiError } from '../../errors/api-error';
import { decodeOrder, encodeCursor } from '../../http/cursor-text';
import { cutPage, limitOf, type PageQuery } from '../../http/page.dto';
import { ImageWithRoiItem } from '../../images/dto/image-item.dto';
import type { ImagePage } from '../../images/dto/image-page.dto';
import { ImageRepository } from '../../images/image.repository';
import { LabelClassItem } from '../../label-classes/dto/label-class-item.dto';
import type { LabelClassList } from '../../label-classes/dto/label-class-list.dto';
import { LabelClassRepository } from '../../label-classes/label-class.repository';
import type { ImageAnnotations } from '../../labeled-images/dto/image-annotations.dto';
import { LabeledImageRepository } from '../../labeled-images/labeled-image.repository';
import { TaskRepository } from '../task.repository';

/** So many edits of one image while its annotations are read would be no accident. */
const LOOKS_MAX = 3;

/** Reads what a task owns. */
@Injectable()
export class TaskContentService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly tasks: TaskRepository,
    private readonly images: ImageRepository,
    private readonly classes: LabelClassRepository,
    private readonly documents: LabeledImageRepository,
  ) {}

  /** @throws ApiError TASK_NOT_FOUND, NOT_A_CURSOR */
  async imagePage(taskId: string, query: PageQuery): Promise<ImagePage> {
    const limit = limitOf(query);
    const after = decodeOrder(query.cursor);
    return this.read(taskId, async (manager) => {
      const rows = await this.images.page(manager, taskId, limit + 1, after);
      const { items, nextCursor } = cutPage(rows, limit, ({ orderId }) => encodeCursor(orderId));
      return { image_list: items.map(ImageWithRoiItem.from), next_cursor: nextCursor };
    });
  }

  /** @throws ApiError TASK_NOT_FOUND */
  async labelClasses(taskId: string): Promise<LabelClassList> {
    return this.read(taskId, async (manager) => ({
      lab_class_list: (await this.classes.list(manager, taskId)).map(LabelClassItem.from),
    }));
  }

  /** @throws ApiError TASK_NOT_FOUND, IMAGE_NOT_FOUND */
  async annotations(taskId: string, imageId: string): Promise<ImageAnnotations> {
    for (let look = 1; look <= LOOKS_MAX; look++) {
      const seen = await this.look(taskId, imageId);
      if (seen) return seen;
    }
    throw new Error(`image ${imageId} of task ${taskId} points to a document that is not there`);
  }

  /** null where the document is gone: an edit came between, and the sweeper, and the image has another one now. */
  private async look(taskId: string, imageId: string): Promise<ImageAnnotations | null> {
    return this.read(taskId, async (manager) => {
      const image = await this.images.findPointer(manager, taskId, imageId);
      if (!image) throw new ApiError('IMAGE_NOT_FOUND', { id: taskId, image: imageId });
      if (image.mongoId === null) return { mongo_id: null, annotations: [] };
      const annotations = await this.documents.find(manager, taskId, image.mongoId);
      return annotations && { mongo_id: image.mongoId, annotations };
    });
  }

  /** Pointers and what they point to belong to one snapshot. */
  private async read<T>(taskId: string, work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return inSnapshot(this.dataSource, async ({ manager }) => {
      if (!(await this.tasks.find(manager, taskId))) throw new ApiError('TASK_NOT_FOUND', { id: taskId });
      return work(manager);
    });
  }
}
