import { Injectable } from '@nestjs/common';
import type { EntityManager, QueryRunner } from 'typeorm';
import type { CopyPlan } from '../../database/copy-plan';
import { documentRange } from '../../database/document-range';
import { reserveIds } from '../../database/id-allocator';
import { shiftRuns, widthOf } from '../../database/id-run';
import { idSpans } from '../../database/id-spans';
import { documentPrefix } from '../../database/installation';
import { ImageRepository } from '../../images/image.repository';
import { TaskRepository } from '../task.repository';

/** Counts the source and reserves the ids of its copy: one block for the images, one for their documents, one for the ROIs. */
@Injectable()
export class CopyPlanner {
  constructor(
    private readonly tasks: TaskRepository,
    private readonly images: ImageRepository,
  ) {}

  /** Called with the source's lock shared, so that its rows can't grow between this count and the snapshot. */
  async plan({ manager }: QueryRunner, source: string, target: string): Promise<CopyPlan> {
    const size = await this.tasks.measure(manager, source);
    const { imageCount, firstImageId, lastImageId, roiCount, firstRoiId, lastRoiId } = size;
    const imageSpans = await idSpans(manager, 'image', source, imageCount, firstImageId, lastImageId);
    const roiSpans = await idSpans(manager, 'roi_image', source, roiCount, firstRoiId, lastRoiId);
    const imageWidth = widthOf(imageSpans);
    const firstId = await reserveIds(manager, 2 * imageWidth + widthOf(roiSpans));
    const firstDocument = firstId + BigInt(imageWidth);
    const prefix = await documentPrefix(manager);
    return {
      source,
      target,
      imageRuns: shiftRuns(imageSpans, firstId),
      roiRuns: shiftRuns(roiSpans, firstDocument + BigInt(imageWidth)),
      documentShift: BigInt(imageWidth),
      sourceDocumentShift: await this.images.documentShift(manager, source, firstImageId, prefix),
      documentPrefix: prefix,
      documents: imageWidth > 0 ? documentRange(prefix, firstDocument, imageWidth) : null,
      imageCount,
      lastOrderId: size.lastOrderId,
      roiCount,
      labelClassCount: size.labelClassCount,
      documentCount: size.documentCount,
    };
  }

  /**
   * The plan as the snapshot of the copy holds it: meanwhile images may have got their first document. null where the source
   * is not what was planned, for who writes past the locks may be faster.
   */
  async settle(manager: EntityManager, plan: CopyPlan): Promise<CopyPlan | null> {
    const { documentCount, ...size } = await this.tasks.measure(manager, plan.source);
    const isPlanned =
      size.imageCount === plan.imageCount &&
      size.lastOrderId === plan.lastOrderId &&
      size.roiCount === plan.roiCount &&
      size.labelClassCount === plan.labelClassCount;
    return isPlanned ? { ...plan, documentCount } : null;
  }
}
