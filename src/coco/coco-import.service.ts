import { Inject, Injectable, Logger } from '@nestjs/common';
import type { Request } from 'express';
import type { EntityManager } from 'typeorm';
import type { Environment } from '../config/environment';
import { ENVIRONMENT } from '../config/environment.module';
import { reserveIds } from '../database/id-allocator';
import { documentRange } from '../database/document-range';
import { documentPrefix } from '../database/installation';
import { refreshStatistics } from '../database/statistics';
import { ApiError } from '../errors/api-error';
import { ImageRepository } from '../images/image.repository';
import { RoiImageRepository } from '../images/roi-image.repository';
import { LabelClassRepository } from '../label-classes/label-class.repository';
import { DocumentGarbageRepository } from '../labeled-images/document-garbage.repository';
import { LabeledImageRepository } from '../labeled-images/labeled-image.repository';
import type { LockedConnection } from '../tasks/locked-connection';
import { Sweeper } from '../tasks/sweeper';
import { TaskLock } from '../tasks/task-lock';
import { TaskRepository, type FilledTask, type NewTask, type TaskRow } from '../tasks/task.repository';
import type { DataSetFile } from './data-set-file';
import { DataSetReader } from './data-set-reader';
import type { Imported } from './dto/imported.dto';
import type { ImportQuery } from './dto/import-query.dto';
import { ImportReport } from './import-report';
import { OutOfOrder } from './out-of-order';
import { StagingRepository, type StagedCounts } from './staging.repository';
import { Upload } from './upload';

/**
 * Imports a COCO data set into an empty or a new task: all or nothing. The file is received whole, then read: images and
 * classes into temporary tables, where the file's ids are resolved. Annotations become documents while they are read, if
 * the file lists them by image and behind the images; else they go into the tables, too, and become documents then.
 */
@Injectable()
export class CocoImportService {
  private readonly logger = new Logger(CocoImportService.name);

  constructor(
    @Inject(ENVIRONMENT) private readonly environment: Environment,
    private readonly lock: TaskLock,
    private readonly staging: StagingRepository,
    private readonly tasks: TaskRepository,
    private readonly images: ImageRepository,
    private readonly rois: RoiImageRepository,
    private readonly labelClasses: LabelClassRepository,
    private readonly labeledImages: LabeledImageRepository,
    private readonly garbage: DocumentGarbageRepository,
    private readonly sweeper: Sweeper,
  ) {}

  /** @throws ApiError for the upload, for the target and for the data set: those that the endpoint documents */
  async import(taskId: string, query: ImportQuery, request: Request): Promise<Imported> {
    const upload = await Upload.receive(request, this.environment.maxImportBytes);
    try {
      return await this.importFile(taskId, query, upload);
    } finally {
      await upload.close();
    }
  }

  async importFile(taskId: string, query: ImportQuery, file: DataSetFile): Promise<Imported> {
    const startedAt = performance.now();
    const imported = await this.lock.holdLong(taskId, async (locked) => {
      const target = await this.checkTarget(locked.connection.manager, taskId, query);
      const name = target?.name ?? query.task_name ?? taskId;
      const task = { taskId, name, taskType: query.task_type ?? null };
      try {
        return await this.importInto(locked, task, file, true);
      } catch (reason) {
        if (!(reason instanceof OutOfOrder)) throw reason;
        this.logger.log({ event: 'import_begun_anew', taskId, reason: reason.message });
        return this.importInto(locked, task, file, false);
      }
    });
    this.log(taskId, imported, startedAt);
    return imported;
  }

  /**
   * `atOnce`: the annotations become documents while the file is read, if all images stand before them.
   * @throws OutOfOrder where that turned out not to be possible
   */
  private async importInto(
    locked: LockedConnection,
    task: NewTask,
    file: DataSetFile,
    atOnce: boolean,
  ): Promise<Imported> {
    const { connection } = locked;
    await this.staging.create(connection.manager);
    const reader = new DataSetReader(this.staging, connection, file, new ImportReport());
    try {
      await reader.toAnnotations();
      if (!reader.isOver) {
        if (atOnce && reader.canMakeDocuments) {
          await reader.beginDocuments(this.labeledImages);
        } else {
          await reader.stageAnnotations();
        }
      }
      if (reader.isOver) await this.review(connection.manager, reader);
      const counts = await this.store(locked, task, reader);
      await this.refreshStatistics(locked, counts.images);
      return { ...counts, warnings: reader.report.warnings };
    } finally {
      await reader.close();
    }
  }

  /** Reserves the ids, announces the documents, and writes all in one transaction. */
  private async store(locked: LockedConnection, task: NewTask, reader: DataSetReader): Promise<StagedCounts> {
    const { manager } = locked.connection;
    const { images, rois } = await this.staging.countImages(manager);
    // At least one document is announced: the row tells whether a COMMIT took effect whose answer was lost.
    const documents = Math.max(images, 1);
    const firstId = await reserveIds(manager, images + documents + rois);
    await this.staging.placeImages(manager, firstId, images);
    const prefix = await documentPrefix(manager);
    const range = documentRange(prefix, firstId + BigInt(images), documents);
    const announced = await this.garbage.announce(manager, task.taskId, range, 'import');
    try {
      return await locked.transaction(
        'READ COMMITTED',
        async (transaction) => {
          await this.writeDocuments(transaction, task, reader, prefix, images);
          const counts = await this.writeRest(
            transaction,
            { ...task, ...reader.head, imageCount: images },
            prefix,
          );
          await this.garbage.withdraw(transaction, announced);
          return counts;
        },
        async (later) => !(await this.garbage.exists(later, announced.id)),
      );
    } catch (error) {
      await this.sweeper.abandon(locked, task.taskId, error);
      throw error;
    }
  }

  /** Those that can be made while the file is read. What is wrong with it is known when it has been read, and rolls back. */
  private async writeDocuments(
    manager: EntityManager,
    task: NewTask,
    reader: DataSetReader,
    prefix: string,
    images: number,
  ): Promise<void> {
    if (reader.isOver) return;
    // Its documents are refused while it is not there.
    await this.tasks.fill(manager, { ...task, ...reader.head, imageCount: images });
    const documents = reader.makeDocuments(prefix, images);
    await this.labeledImages.insertBatches(manager, task.taskId, documents);
    await this.review(manager, reader);
  }

  /** All else, with what stood behind the annotations. */
  private async writeRest(manager: EntityManager, task: FilledTask, prefix: string): Promise<StagedCounts> {
    const { taskId } = task;
    await this.tasks.fill(manager, task);
    await this.labelClasses.insert(manager, taskId, this.staging.labelClasses());
    await this.images.insert(manager, taskId, this.staging.images(prefix));
    await this.rois.insert(manager, taskId, this.staging.rois());
    await this.labeledImages.insert(manager, taskId, this.staging.documents(taskId, prefix));
    return this.staging.count(manager);
  }

  /** @throws ApiError IMPORT_TARGET_NOT_FOUND, TASK_TYPES_DIFFER, IMPORT_TARGET_NOT_EMPTY */
  private async checkTarget(
    manager: EntityManager,
    id: string,
    { task_type: wanted }: ImportQuery,
  ): Promise<TaskRow | null> {
    const target = await this.tasks.find(manager, id);
    if (!target && wanted === undefined) throw new ApiError('IMPORT_TARGET_NOT_FOUND', { id });
    if (await this.tasks.hasContent(manager, id)) throw new ApiError('IMPORT_TARGET_NOT_EMPTY', { id });
    const actual = target?.taskType ?? null;
    if (wanted !== undefined && actual !== null && actual !== wanted) {
      throw new ApiError('TASK_TYPES_DIFFER', { id, wanted, actual });
    }
    return target;
  }

  /**
   * What only the whole file shows. An element with a fault is not in the tables: it would make faults of all that refer
   * to it, so that those of single elements are answered before.
   * @throws ApiError FAULTY_DATA_SET
   */
  private async review(manager: EntityManager, { report, hasDistinctIds }: DataSetReader): Promise<void> {
    report.throwFaults();
    await this.staging.summarize(manager);
    for (const { kind, count, at } of await this.staging.findFaults(manager)) report.faults(kind, count, at);
    report.throwFaults();
    for (const { kind, count, at } of await this.staging.findDirt(manager, hasDistinctIds))
      report.warnAll(kind, count, at);
  }

  /** The import is committed, and does not fail any more. */
  private async refreshStatistics({ connection }: LockedConnection, images: number): Promise<void> {
    try {
      await refreshStatistics(connection.manager, images);
    } catch (error) {
      this.logger.warn({ event: 'statistics_failed', error: String(error) });
    }
  }

  private log(taskId: string, { warnings, ...counts }: Imported, startedAt: number): void {
    const duration_ms = Math.round(performance.now() - startedAt);
    this.logger.log({ event: 'import', taskId, ...counts, warnings: warnings.length, duration_ms });
  }
}
