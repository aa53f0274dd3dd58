import { Injectable } from '@nestjs/common';
import { DataSource, type QueryRunner } from 'typeorm';
import { inSnapshot } from '../../database/transaction';
import { ApiError } from '../../errors/api-error';
import { NO_FINDINGS, together, type Findings } from '../../labeled-images/findings';
import { LabeledImageRepository } from '../../labeled-images/labeled-image.repository';
import { TaskRepository } from '../task.repository';
import type { AttemptRow } from './attempt.repository';
import {
  COPIED_DOCUMENTS,
  CopiedRowsRepository,
  type CopiedTask,
  type CopyCounts,
} from './copied-rows.repository';
import { Verification, VerificationCheck, type SourceState } from './dto/verification.dto';
import { DuplicationRelations } from './duplication-relations';

/** A finished copy, as the record of its attempt has it and as it is now. */
interface Copy extends CopiedTask {
  readonly attempt: AttemptRow;
  readonly now: CopyCounts;
  /** Nothing was copied: whatever there is now was imported later. */
  readonly isOfNothing: boolean;
}

/**
 * Proves that a copy is one, from what the two databases hold and not from what was once answered. What was edited later,
 * which the ids of the documents show, is no fault; every other difference is.
 */
@Injectable()
export class DuplicationVerification {
  constructor(
    private readonly dataSource: DataSource,
    private readonly relations: DuplicationRelations,
    private readonly tasks: TaskRepository,
    private readonly rows: CopiedRowsRepository,
    private readonly labeledImages: LabeledImageRepository,
  ) {}

  /** @throws ApiError TASK_NOT_FOUND, NOT_A_COPY (also while the copy is not done) */
  verify(target: string): Promise<Verification> {
    return inSnapshot(this.dataSource, async (connection) => {
      await this.rows.joinWholeTasks(connection.manager);
      const copy = await this.find(connection, target);
      const checks = await this.check(connection, copy);
      return {
        verified: checks.every(({ ok }) => ok),
        checks,
        source: await this.sourceState(connection, copy),
        target: copy.now.edited > 0 || wasFilledLater(copy) ? 'edited' : 'same',
      };
    });
  }

  private async find(connection: QueryRunner, target: string): Promise<Copy> {
    const attempt = await this.relations.finished(connection, target);
    const hasSource = await this.rows.hasSource(connection.manager, target);
    const source = hasSource ? attempt.sourceTaskId : null;
    const now = await this.rows.count(connection.manager, { target, source });
    if (!now) throw new ApiError('TASK_NOT_FOUND', { id: target });
    const isOfNothing = attempt.imageCount === 0 && attempt.labelClassCount === 0;
    return { target, source, attempt, now, isOfNothing };
  }

  private async check(connection: QueryRunner, copy: Copy): Promise<VerificationCheck[]> {
    const checks = [
      VerificationCheck.from('counts', findWrongCounts(copy)),
      VerificationCheck.from('ids', await this.findStrayIds(connection, copy)),
      VerificationCheck.from('references', await this.findStrayReferences(connection, copy)),
    ];
    if (copy.source === null) return checks;
    const differences = await this.compare(connection, { ...copy, source: copy.source });
    return [...checks, VerificationCheck.from('content', differences)];
  }

  private async findStrayIds({ manager }: QueryRunner, copy: Copy): Promise<Findings> {
    if (copy.isOfNothing) return NO_FINDINGS;
    return together([
      await this.rows.findStrayIds(manager, 'image', copy),
      await this.rows.findStrayIds(manager, 'roi_image', copy),
      await this.rows.findStrayIds(manager, 'label_class', copy),
    ]);
  }

  private async findStrayReferences(connection: QueryRunner, copy: Copy): Promise<Findings> {
    const faults = await this.labeledImages.inspect(connection, copy.target);
    return together([
      ...faults.map(({ count, images }) => ({ count, examples: images })),
      await this.rows.findStrayPointers(connection.manager, copy),
      await this.rows.findStrayRois(connection.manager, copy),
    ]);
  }

  private async compare(connection: QueryRunner, copy: Copy & { source: string }): Promise<Findings> {
    if (copy.isOfNothing) return NO_FINDINGS;
    return together([
      await this.rows.compareTask(connection.manager, copy),
      await this.rows.compareLabelClasses(connection.manager, copy),
      await this.rows.compareImages(connection.manager, copy),
      await this.labeledImages.compare(connection, copy, COPIED_DOCUMENTS),
    ]);
  }

  private async sourceState(
    { manager }: QueryRunner,
    { source, now, isOfNothing }: Copy,
  ): Promise<SourceState> {
    if (source === null) return 'gone';
    const wasFilled = isOfNothing && (await this.tasks.hasContent(manager, source));
    return now.originalsEdited > 0 || wasFilled ? 'edited' : 'same';
  }
}

/** Only a task without images and label classes can be imported into. */
function wasFilledLater({ isOfNothing, now }: Copy): boolean {
  return isOfNothing && now.images + now.labelClasses > 0;
}

/** By the names that the status of the duplication has for them. */
function findWrongCounts(copy: Copy): Findings {
  const { attempt, now } = copy;
  const isRight = {
    image_count: now.recordedImages === now.images && (copy.isOfNothing || now.images === attempt.imageCount),
    roi_count: copy.isOfNothing || now.rois === attempt.roiCount,
    label_class_count: copy.isOfNothing || now.labelClasses === attempt.labelClassCount,
    document_count:
      copy.isOfNothing ||
      (now.documentsMin <= attempt.documentCount && attempt.documentCount <= now.documentsMax),
  };
  const wrong = Object.entries(isRight).flatMap(([name, right]) => (right ? [] : [name]));
  return { count: wrong.length, examples: wrong };
}
