import { Inject, Injectable, Logger } from '@nestjs/common';
import type { Request } from 'express';
import type { EntityManager } from 'typeorm';
import type { Environment } from '../config/environment';
import { ENVIRONMENT } from '../config/environment.module';
import { throwUnlessAborted } from '../database/database-faults';
import { reserveIds } from '../database/id-allocator';
import { OneInFlight } from '../database/one-in-flight';
import { documentRange } from '../database/document-range';
import { documentPrefix } from '../database/installation';
import { refreshStatistics } from '../database/statistics';
import { ApiError } from '../errors/api-error';
import { ImageRepository } from '../images/image.repository';
import { RoiImageRepository } from '../images/roi-image.repository';
import { LabelClassRepository } from '../label-classes/label-class.repository';
import { DocumentGarbageRepository } from '../labeled-images/document-garbage.repository';
import { LabeledImageRepository, type NewDocument } from '../labeled-images/labeled-image.repository';
import type { LockedConnection } from '../tasks/locked-connection';
import { Sweeper } from '../tasks/sweeper';
import { TaskLock } from '../tasks/task-lock';
import { TaskRepository, type NewTask } from '../tasks/task.repository';
import type { DataSetFault } from './data-set-faults';
import type { DataSetFile } from './data-set-file';
import { DataSetReader } from './reading/data-set-reader';
import type { Imported } from './dto/imported.dto';
import type { ImportQuery } from './dto/import-query.dto';
import { ImportReport, type Finding } from './import-report';
import type { ReservedIds } from './reserved-ids';
import { StagingNeeded } from './reading/staging-needed';
import { StagingRepository, type StagedCounts } from './staging/staging.repository';
import { Upload } from './upload';

/**
 * Imports a COCO data set into an empty or a new task: all or nothing. The file is received whole, then read: images and
 * classes into temporary tables. If the file lists the annotations behind the images and in their order, all is written
 * while it is read; else the annotations go into the tables, too, where the file's ids are resolved.
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
      try {
        return await this.importInto(locked, taskId, query, file, true);
      } catch (reason) {
        if (!(reason instanceof StagingNeeded)) throw reason;
        this.logger.log({ event: 'import_begun_anew', taskId, reason: reason.message });
        return this.importInto(locked, taskId, query, file, false);
      }
    });
    this.log(taskId, imported, startedAt);
    return imported;
  }

  /**
   * `atOnce`: rows and documents are written while the file is read, if it can be told yet that it is in order.
   * @throws StagingNeeded where that turned out not to be possible
   */
  private async importInto(
    locked: LockedConnection,
    taskId: string,
    query: ImportQuery,
    file: DataSetFile,
    atOnce: boolean,
  ): Promise<Imported> {
    const { connection } = locked;
    const task = await this.checkTarget(connection.manager, taskId, query);
    await this.staging.create(connection.manager);
    const statements = new OneInFlight();
    const reader = new DataSetReader(this.staging, connection, statements, file, new ImportReport());
    try {
      await reader.toAnnotations();
      const counts =
        atOnce && reader.canMakeDocuments
          ? await this.importAtOnce(locked, task, reader, statements)
          : await this.importStaged(locked, task, reader);
      const images = reader.index.count;
      await this.refreshStatistics(locked, images);
      return { images, ...counts, warnings: reader.report.warnings };
    } finally {
      await reader.close();
    }
  }

  /** What is wrong with the file is known when it has been read, and rolls back. */
  private async importAtOnce(
    locked: LockedConnection,
    task: NewTask,
    reader: DataSetReader,
    statements: OneInFlight,
  ): Promise<StagedCounts> {
    await reader.beginDocuments(this.labeledImages);
    return this.store(locked, task, reader, async (manager, ids) => {
      await this.staging.prepareSlices(manager);
      const documents = this.writeSlices(manager, task.taskId, reader, ids, statements);
      try {
        await this.labeledImages.insertBatches(manager, task.taskId, documents);
      } catch (fault) {
        // Where rows could not be written, documents have failed because of it.
        await statements.ended().catch(throwUnlessAborted);
        throw fault;
      }
      await this.review(manager, reader, async () => {
        await this.staging.summarizeDocuments(manager, reader.referredCategories);
        return this.staging.findCategoryFaults(manager);
      });
      await this.fill(manager, task, reader); // with what stood behind the annotations
      await this.labelClasses.insert(manager, task.taskId, this.staging.labelClasses());
    });
  }

  /** Writes the rows of the images, and answers their documents, which are written meanwhile. */
  private async *writeSlices(
    manager: EntityManager,
    taskId: string,
    reader: DataSetReader,
    ids: ReservedIds,
    statements: OneInFlight,
  ): AsyncGenerator<readonly NewDocument[]> {
    try {
      for await (const { rows, documents } of reader.makeSlices(ids)) {
        if (rows) {
          await statements.start(async () => {
            await this.images.insert(manager, taskId, this.staging.imagesOf(rows, ids));
            if (rows.rois > 0) await this.rois.insert(manager, taskId, this.staging.roisOf(rows, ids));
          });
        }
        if (documents.length > 0) yield documents;
      }
    } finally {
      await statements.ended();
    }
  }

  private async importStaged(
    locked: LockedConnection,
    task: NewTask,
    reader: DataSetReader,
  ): Promise<StagedCounts> {
    if (!reader.isOver) await reader.stageAnnotations();
    const { manager: session } = locked.connection;
    await this.review(session, reader, async () => {
      await this.staging.summarize(session);
      return this.staging.findFaults(session);
    });
    const { taskId } = task;
    return this.store(locked, task, reader, async (manager, ids) => {
      await this.staging.placeImages(manager, ids);
      await this.labelClasses.insert(manager, taskId, this.staging.labelClasses());
      await this.images.insert(manager, taskId, this.staging.images(ids.documentPrefix));
      await this.rois.insert(manager, taskId, this.staging.rois());
      await this.labeledImages.insert(manager, taskId, this.staging.documents(taskId, ids.documentPrefix));
    });
  }

  /** Reserves the ids, announces the documents, and writes all in one transaction. */
  private async store(
    locked: LockedConnection,
    task: NewTask,
    reader: DataSetReader,
    write: (manager: EntityManager, ids: ReservedIds) => Promise<void>,
  ): Promise<StagedCounts> {
    const { manager } = locked.connection;
    const { count: images, roiCount: rois } = reader.index;
    // At least one document is announced: the row tells whether a COMMIT took effect whose answer was lost.
    const documents = Math.max(images, 1);
    const image = await reserveIds(manager, images + documents + rois);
    const document = image + BigInt(images);
    const roi = document + BigInt(documents);
    const prefix = await documentPrefix(manager);
    const range = documentRange(prefix, document, documents);
    const announced = await this.garbage.announce(manager, task.taskId, range, 'import');
    try {
      return await locked.transaction(
        'READ COMMITTED',
        async (transaction) => {
          await this.fill(transaction, task, reader); // first: what belongs to no task is refused
          await write(transaction, { image, document, roi, documentPrefix: prefix });
          await this.garbage.withdraw(transaction, announced);
          return this.staging.count(transaction);
        },
        async (later) => !(await this.garbage.exists(later, announced.id)),
      );
    } catch (error) {
      await this.sweeper.abandon(locked, task.taskId, error);
      throw error;
    }
  }

  private fill(manager: EntityManager, task: NewTask, { head, index }: DataSetReader): Promise<void> {
    return this.tasks.fill(manager, { ...task, ...head, imageCount: index.count });
  }

  /**
   * @returns the task that is to be filled: the one that is there, or a new one
   * @throws ApiError IMPORT_TARGET_NOT_FOUND, TASK_TYPES_DIFFER, IMPORT_TARGET_NOT_EMPTY
   */
  private async checkTarget(
    manager: EntityManager,
    id: string,
    { task_type: wanted, task_name: newName }: ImportQuery,
  ): Promise<NewTask> {
    const target = await this.tasks.find(manager, id);
    if (!target && wanted === undefined) throw new ApiError('IMPORT_TARGET_NOT_FOUND', { id });
    if (await this.tasks.hasContent(manager, id)) throw new ApiError('IMPORT_TARGET_NOT_EMPTY', { id });
    const actual = target?.taskType ?? null;
    if (wanted !== undefined && actual !== null && actual !== wanted) {
      throw new ApiError('TASK_TYPES_DIFFER', { id, wanted, actual });
    }
    return { taskId: id, name: target?.name ?? newName ?? id, taskType: wanted ?? null };
  }

  /**
   * What only the whole file shows. An element with a fault is not in the tables: it would make faults of all that refer
   * to it, so that those of single elements are answered before.
   * @throws ApiError FAULTY_DATA_SET
   */
  private async review(
    manager: EntityManager,
    { report, hasDistinctIds }: DataSetReader,
    findFaults: () => Promise<Finding<DataSetFault>[]>,
  ): Promise<void> {
    report.throwFaults();
    report.addFaults(await findFaults());
    report.throwFaults();
    report.addDirt(await this.staging.findDirt(manager, hasDistinctIds));
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
