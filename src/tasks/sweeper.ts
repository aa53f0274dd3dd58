import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { DataSource, type EntityManager, type QueryRunner } from 'typeorm';
import type { Environment } from '../config/environment';
import { ENVIRONMENT } from '../config/environment.module';
import { inTransaction } from '../database/transaction';
import { ApiError } from '../errors/api-error';
import {
  DocumentGarbageRepository,
  type AnnouncedWrite,
} from '../labeled-images/document-garbage.repository';
import { LabeledImageRepository } from '../labeled-images/labeled-image.repository';
import { AttemptRepository } from './duplication/attempt.repository';
import type { LockedConnection } from './locked-connection';
import { TaskLock } from './task-lock';

export interface SweepReport {
  /** Tasks whose writes were found dead. */
  readonly dead: number;
  /** Ranges that were swept. */
  readonly ranges: number;
  readonly documents: number;
}

/**
 * Removes what failed writes, edits and deletions leave behind: documents that nothing points to any more, or ever did.
 * Any number of nodes may sweep at once.
 */
@Injectable()
export class Sweeper implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(Sweeper.name);
  private readonly intervalMs: number;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private isWanted = false;
  private isStopped = false;

  constructor(
    @Inject(ENVIRONMENT) private readonly environment: Environment,
    private readonly dataSource: DataSource,
    private readonly lock: TaskLock,
    private readonly attempts: AttemptRepository,
    private readonly garbage: DocumentGarbageRepository,
    private readonly labeledImages: LabeledImageRepository,
  ) {
    this.intervalMs = environment.sweepIntervalS * 1_000;
  }

  onApplicationBootstrap(): void {
    this.sweepSoon();
    if (this.intervalMs > 0) this.timer = setInterval(() => this.sweepSoon(), this.intervalMs).unref();
  }

  async onModuleDestroy(): Promise<void> {
    this.isStopped = true;
    clearInterval(this.timer);
    await this.running;
  }

  /** Sweeps in the background, now or once more after the sweep that runs; not on a node that is told not to sweep. */
  sweepSoon(): void {
    if (this.intervalMs === 0 || this.isStopped) return;
    this.isWanted = true;
    this.running ??= this.sweepWanted().finally(() => (this.running = undefined));
  }

  /** Marks what died, then removes the documents of every range that is due. */
  async sweep(): Promise<SweepReport> {
    const dead = await this.giveUpDead();
    let [ranges, documents] = [0, 0];
    for (const id of await this.garbage.findDue(this.dataSource.manager, this.environment.sweepKeepS)) {
      if (this.isStopped) break;
      const removed = await this.sweepRange(id);
      if (removed === null) continue;
      ranges++;
      documents += removed;
    }
    return { dead, ranges, documents };
  }

  /** Gives up all that has not committed of a task, by who holds its lock: nothing of it can be running. */
  async giveUp(connection: QueryRunner, taskId: string): Promise<void> {
    await inTransaction(connection, 'READ COMMITTED', async (manager) => {
      await this.attempts.failRunning(manager, taskId);
      await this.garbage.giveUp(manager, taskId);
    });
  }

  /** Gives up a copy or an import that has failed while its lock is held, and sweeps what it left. */
  abandon(locked: LockedConnection, taskId: string, reason: unknown): Promise<void> {
    return this.giveUpFailed(locked, reason, { event: 'write_left_undecided', taskId }, () =>
      this.giveUp(locked.connection, taskId),
    );
  }

  /** The same for an edit, and no other of its task: those share the lock, and may run. */
  abandonEdit(locked: LockedConnection, write: AnnouncedWrite, reason: unknown): Promise<void> {
    return this.giveUpFailed(locked, reason, { event: 'edit_left_undecided', document: write.firstId }, () =>
      this.garbage.fail(locked.connection.manager, write),
    );
  }

  /**
   * A write whose outcome is not known is left alone, and so is one where even this fails: who finds its lock free later knows
   * better.
   */
  private async giveUpFailed(
    locked: LockedConnection,
    reason: unknown,
    leftOver: object,
    giveUp: () => Promise<void>,
  ): Promise<void> {
    if (reason instanceof ApiError && reason.errorName === 'OUTCOME_UNKNOWN') return;
    try {
      await locked.ensure();
      await giveUp();
    } catch (error) {
      this.logger.warn({ ...leftOver, error: String(error) });
    }
    this.sweepSoon();
  }

  /** Of writes that say they run, those whose lock is free have died. */
  private async giveUpDead(): Promise<number> {
    const { manager } = this.dataSource;
    const inDoubt = [
      ...(await this.attempts.running(manager)),
      ...(await this.garbage.tasksInDoubt(manager)),
    ];
    let dead = 0;
    for (const taskId of new Set(inDoubt)) {
      if (this.isStopped) break;
      const isFree = await this.lock.holdIfFree(taskId, ({ connection }) => this.giveUp(connection, taskId));
      if (isFree) dead++;
    }
    return dead;
  }

  /** @returns how many documents were removed; null where the range is not due any more, or another node sweeps it */
  private async sweepRange(id: string): Promise<number | null> {
    const connection = this.dataSource.createQueryRunner();
    try {
      return await inTransaction(connection, 'READ COMMITTED', (manager) => this.sweepClaimed(manager, id));
    } finally {
      await connection.release();
    }
  }

  private async sweepClaimed(manager: EntityManager, id: string): Promise<number | null> {
    const range = await this.garbage.claim(manager, id, this.environment.sweepKeepS);
    if (!range) return null;
    let documents = 0;
    for (;;) {
      const removed = await this.labeledImages.remove(range.taskId, range);
      if (removed === 0) break;
      documents += removed;
      // The row stays, and the next sweep goes on.
      if (this.isStopped) return documents;
      // A range of millions takes a while: the transaction that claims it must not look idle.
      await manager.query('SELECT');
    }
    await this.garbage.settle(manager, id, this.labeledImages.canWriteLate);
    if (documents > 0) this.logger.log({ event: 'swept', ...range, documents });
    return documents;
  }

  private async sweepWanted(): Promise<void> {
    while (this.isWanted && !this.isStopped) {
      this.isWanted = false;
      try {
        await this.sweep();
      } catch (error) {
        // The rows stay, and the next sweep finds them.
        this.logger.warn({ event: 'sweep_failed', error: String(error) });
      }
    }
  }
}
