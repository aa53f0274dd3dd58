import { Injectable } from '@nestjs/common';
import type { EntityManager, QueryRunner } from 'typeorm';
import type { CopyPlan } from '../../database/copy-plan';
import { documentRange } from '../../database/document-range';
import { reserveIds } from '../../database/id-allocator';
import { shiftRuns, widthOf } from '../../database/id-run';
import { idSpans } from '../../database/id-spans';
import { documentPrefix } from '../../database/installation';
import { ImageRepository } from '../../images/image.repository';
import { LabelClassRepository } from '../../label-classes/label-class.repository';
import { TaskRepository } from '../task.repository';

/** Counts the source and reserves the ids of its copy: one block for the images, one for their documents, one for the ROIs. */
@Injectable()
export class CopyPlanner {
  constructor(
    private readonly tasks: TaskRepository,
    private readonly images: ImageRepository,
    private readonly labelClasses: LabelClassRepository,
  ) {}

  /** Whether the source holds what was planned: in the snapshot of the copy, for who writes past the locks may be faster. */
  async fits(
    manager: EntityManager,
    { source, imageCount, roiCount, labelClassCount }: CopyPlan,
  ): Promise<boolean> {
    const { images, rois, labelClasses } = await this.tasks.countContent(manager, source);
    return images === imageCount && rois === roiCount && labelClasses === labelClassCount;
  }

  /** Called with the source's lock shared, so that its rows can't grow between this count and the snapshot. */
  async plan(connection: QueryRunner, source: string, target: string): Promise<CopyPlan> {
    const { manager } = connection;
    const images = await idSpans(manager, 'image', source);
    const rois = await idSpans(manager, 'roi_image', source);
    const imageWidth = widthOf(images.spans);
    const firstImageId = await reserveIds(manager, 2 * imageWidth + widthOf(rois.spans));
    const documentShift = BigInt(imageWidth);
    const firstDocument = firstImageId + documentShift;
    const prefix = await documentPrefix(manager);
    return {
      source,
      target,
      imageRuns: shiftRuns(images.spans, firstImageId),
      roiRuns: shiftRuns(rois.spans, firstDocument + documentShift),
      documentShift,
      documentPrefix: prefix,
      documents: imageWidth > 0 ? documentRange(prefix, firstDocument, imageWidth) : null,
      imageCount: images.count,
      roiCount: rois.count,
      labelClassCount: await this.labelClasses.count(manager, source),
      documentCount: await this.images.countAnnotated(manager, source),
    };
  }
}
