import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { CopyPlan, CopySlice } from '../../database/copy-plan';
import { ApiError } from '../../errors/api-error';
import type { MemberStream } from '../../http/streamed-answer';
import { ImageRepository } from '../../images/image.repository';
import { RoiImageRepository } from '../../images/roi-image.repository';
import { LabelClassRepository } from '../../label-classes/label-class.repository';
import { describeFaults } from '../../labeled-images/document-faults';
import { DocumentGarbageRepository } from '../../labeled-images/document-garbage.repository';
import { LabeledImageRepository } from '../../labeled-images/labeled-image.repository';
import type { DuplicateTaskDto } from '../dto/duplicate-task.dto';
import type { LockedConnection } from '../locked-connection';
import { Sweeper } from '../sweeper';
import { Busy, TaskLock } from '../task-lock';
import { TaskRepository } from '../task.repository';
import { AttemptRepository, type Attempt } from './attempt.repository';
import { CopyPlanner } from './copy-planner';
import { copySlices } from './copy-slices';
import { DuplicationAnswer } from './duplication-answer';

/**
 * Copies a task into another one: all or nothing, exactly once, every reference rewritten, across two databases.
 *
 * The target's id is the idempotency key. PostgreSQL's commit is the one that decides: until then a reader sees nothing of
 * the copy, from then on all of it, and the same request again is answered without copying. Who repeats a request that
 * failed, or whose answer was lost, can do no harm. What each step is good for: docs/reliability.md.
 */
@Injectable()
export class DuplicationService {
  private readonly logger = new Logger(DuplicationService.name);

  constructor(
    private readonly lock: TaskLock,
    private readonly attempts: AttemptRepository,
    private readonly planner: CopyPlanner,
    private readonly tasks: TaskRepository,
    private readonly images: ImageRepository,
    private readonly rois: RoiImageRepository,
    private readonly labelClasses: LabelClassRepository,
    private readonly labeledImages: LabeledImageRepository,
    private readonly garbage: DocumentGarbageRepository,
    private readonly sweeper: Sweeper,
    private readonly answer: DuplicationAnswer,
  ) {}

  /**
   * Resolves after the commit, with the lock released: a slow reader of the answer holds nothing that others wait for.
   * @throws ApiError SAME_TASK, COPY_OF_ANOTHER_TASK, SOURCE_NOT_FOUND, TARGET_NOT_EMPTY, TASK_TYPES_DIFFER, BROKEN_SOURCE,
   * TASK_BUSY, TOO_MANY_COPIES, OUTCOME_UNKNOWN
   */
  async duplicate({ task_id_old: source, task_id: target }: DuplicateTaskDto): Promise<MemberStream> {
    if (source === target) throw new ApiError('SAME_TASK');
    // Before BEGIN: a lock taken inside REPEATABLE READ would wait, and then still read the old rows.
    const replayed = await this.lock.holdLong(target, async (locked) => {
      const { manager } = locked.connection;
      if (await this.attempts.settled(manager, source, target)) return true;
      // A source that is being filled is never copied half, and never taken for empty or missing.
      if (!(await locked.tryShare(source))) return new Busy(source);
      await this.check(manager, source, target);
      return this.attempt(locked, await this.planner.plan(locked.connection, source, target));
    });
    return this.answer.of(target, replayed);
  }

  /** @throws ApiError when there is nothing to copy, or no place to copy it to */
  private async check(manager: EntityManager, source: string, target: string): Promise<void> {
    const original = await this.tasks.find(manager, source);
    if (!original) throw new ApiError('SOURCE_NOT_FOUND', { id: source });
    const existing = await this.tasks.find(manager, target);
    if (!existing) return;
    if (await this.tasks.hasContent(manager, target)) throw new ApiError('TARGET_NOT_EMPTY', { id: target });
    const [wanted, actual] = [original.taskType, existing.taskType];
    if (wanted !== null && actual !== null && wanted !== actual) {
      throw new ApiError('TASK_TYPES_DIFFER', { id: target, wanted, actual });
    }
  }

  /** Records the attempt, copies, and records how it ended; the record of success is part of the copy. @returns replayed */
  private async attempt(locked: LockedConnection, plan: CopyPlan): Promise<false | Busy> {
    const startedAt = performance.now();
    // Committed before a document can exist: whatever happens now, what is left behind can be found.
    const attempt = await this.attempts.begin(locked.connection, plan);
    try {
      await locked.transaction(
        'REPEATABLE READ',
        (manager) => this.fill(locked, manager, plan, attempt),
        (manager) => this.attempts.isDone(manager, attempt),
      );
      this.log(plan, { attemptId: attempt.id, outcome: 'done', duration_ms: elapsedMs(startedAt) });
      return false;
    } catch (error) {
      this.log(plan, {
        attemptId: attempt.id,
        outcome: 'failed',
        duration_ms: elapsedMs(startedAt),
        error: String(error),
      });
      await this.sweeper.abandon(locked, plan.target, error);
      if (error instanceof Outgrown) return new Busy(plan.source);
      throw error;
    }
  }

  /** The transaction: all that it writes becomes visible by its commit, and nothing before. */
  private async fill(
    locked: LockedConnection,
    manager: EntityManager,
    planned: CopyPlan,
    attempt: Attempt,
  ): Promise<void> {
    await this.check(manager, planned.source, planned.target);
    const plan = await this.planner.settle(manager, planned);
    if (!plan) throw new Outgrown('the source has changed since it was counted');
    // The snapshot is taken: from here on edits and deletion of the source don't disturb the copy, nor it them.
    await locked.unshare(plan.source);
    await this.copy(manager, plan);
    const editsInFlight = await this.garbage.editsInFlight(manager, plan.source);
    await this.attempts.finish(manager, attempt, plan.documentCount, editsInFlight);
    if (attempt.announced) await this.garbage.withdraw(manager, attempt.announced);
  }

  /** The five repositories, in the order of the protocol: documents before the commit that makes them reachable. */
  private async copy(manager: EntityManager, plan: CopyPlan): Promise<void> {
    await this.tasks.copy(manager, plan);
    const labelClasses = await this.labelClasses.copy(manager, plan);
    const copied = { images: 0, rois: 0 };
    if (hasGaps(plan)) copied.images = await this.images.copyClosingGaps(manager, plan);
    const rows = this.copyRows(manager, plan, copied);
    const documents = await this.labeledImages.copy(manager, plan, labelClasses, rows);

    assertCopied('images', copied.images, plan.imageCount);
    assertCopied('ROIs', copied.rois, plan.roiCount);
    assertCopied('label classes', labelClasses.length, plan.labelClassCount);
    if (documents !== plan.documentCount) await this.refuseBroken(manager, plan.source);
    assertCopied('documents', documents, plan.documentCount);
  }

  /** Images and their ROIs, slice by slice: the next one while the documents of those before are on their way. */
  private async *copyRows(
    manager: EntityManager,
    plan: CopyPlan,
    copied: { images: number; rois: number },
  ): AsyncGenerator<CopySlice> {
    for await (const slice of copySlices(manager, plan)) {
      if (!hasGaps(plan)) copied.images += await this.images.copy(manager, plan, slice);
      copied.rois += await this.rois.copy(manager, plan, slice);
      yield slice;
    }
  }

  /** @throws ApiError BROKEN_SOURCE saying which documents could not be copied */
  private async refuseBroken(manager: EntityManager, source: string): Promise<void> {
    const faults = await this.labeledImages.inspect(manager.queryRunner!, source); // a transaction has one
    if (faults.length > 0)
      throw new ApiError('BROKEN_SOURCE', { id: source, faults: describeFaults(faults) });
  }

  /** One line for each attempt: what an operator looks for first. */
  private log({ source, target, imageCount, documentCount }: CopyPlan, outcome: object): void {
    this.logger.log({
      event: 'duplication',
      source,
      target,
      images: imageCount,
      documents: documentCount,
      ...outcome,
    });
  }
}

/** Where the places of the images have none, a slice of them can be copied without knowing the others. */
function hasGaps({ imageCount, lastOrderId }: CopyPlan): boolean {
  return lastOrderId > imageCount;
}

/** More is there than ids were reserved for: everything is planned again. */
class Outgrown extends Error {}

function elapsedMs(startedAt: number): number {
  return Math.round(performance.now() - startedAt);
}

/** What was written must be what was planned: a difference is never repaired, it rolls back. */
function assertCopied(what: string, copied: number, planned: number): void {
  if (copied !== planned) throw new Error(`${String(copied)} ${what} were copied, not ${String(planned)}`);
}
