import { Injectable } from '@nestjs/common';
import { DataSource, type QueryRunner } from 'typeorm';
import { streamInSnapshot } from '../../database/transaction';
import { ApiError } from '../../errors/api-error';
import { decodeOrder, encodeCursor } from '../../http/cursor-text';
import { jsonItems, jsonMember } from '../../http/json-list';
import { cutPage, limitOf, type PageQuery } from '../../http/page.dto';
import { MemberStream } from '../../http/streamed-answer';
import { ImageRepository, type CopiedImageRow } from '../../images/image.repository';
import { RoiImageRepository, type CopiedRoiRow } from '../../images/roi-image.repository';
import { LabelClassRepository } from '../../label-classes/label-class.repository';
import { TaskLock } from '../task-lock';
import { TaskRepository } from '../task.repository';
import { AttemptRepository, type AttemptRow } from './attempt.repository';
import { DuplicationStatus } from './dto/duplication-status.dto';
import { NewImageInfo } from './dto/duplication-maps.dto';

/** The part of the images that one answer shows: behind this `order_id`, all where `limit` is null. */
interface Page {
  readonly limit: number | null;
  readonly after: number;
}

/** What is known of a duplication afterwards: how it stands, and which row became which, read from `copied_from_id`. */
@Injectable()
export class DuplicationRelations {
  constructor(
    private readonly dataSource: DataSource,
    private readonly lock: TaskLock,
    private readonly attempts: AttemptRepository,
    private readonly tasks: TaskRepository,
    private readonly images: ImageRepository,
    private readonly rois: RoiImageRepository,
    private readonly labelClasses: LabelClassRepository,
  ) {}

  /** @throws ApiError TASK_NOT_FOUND, NOT_A_COPY */
  async status(target: string): Promise<DuplicationStatus> {
    const attempt = await this.find(target);
    if (attempt.state !== 'running' || (await this.lock.isHeld(target)))
      return DuplicationStatus.from(attempt);
    // Nobody holds the lock: either it has just ended, or its process died and the next request will mark it failed.
    const ended = await this.find(target);
    return DuplicationStatus.from(ended.state === 'running' ? { ...ended, state: 'failed' } : ended);
  }

  /**
   * The three relations, whole or page by page.
   * @throws ApiError TASK_NOT_FOUND, NOT_A_COPY (also while the copy is not done), NOT_A_CURSOR
   */
  maps(target: string, query: PageQuery): MemberStream {
    const isPaged = query.limit !== undefined || query.cursor !== undefined;
    const page = { limit: isPaged ? limitOf(query) : null, after: decodeOrder(query.cursor) };
    return new MemberStream(
      streamInSnapshot(this.dataSource, (connection) => this.write(connection, target, page)),
    );
  }

  /** @throws ApiError TASK_NOT_FOUND, NOT_A_COPY (also while the copy is not done) */
  async finished(connection: QueryRunner, target: string): Promise<AttemptRow> {
    const attempt = await this.find(target, connection);
    if (attempt.state !== 'done') throw new ApiError('NOT_A_COPY', { id: target });
    return attempt;
  }

  private async *write(connection: QueryRunner, target: string, page: Page): AsyncGenerator<string> {
    const { sourceTaskId } = await this.finished(connection, target);
    const classes = await this.labelClasses.listCopied(connection.manager, target);
    const classMap = Object.fromEntries(
      classes.map(({ sourceId, id }) => [sourceId, { lab_class_id_new: id }]),
    );
    yield `"old_new_lab_class_map":${JSON.stringify(classMap)},"old_new_img_info_map":{`;
    const nextCursor = yield* this.writeImages(connection, target, sourceTaskId, page);
    yield `},"roi_id_old_img_id_old":{`;
    yield* jsonItems(this.rois.streamCopied(connection, target, page.limit, page.after), toRoiMember);
    yield `},"next_cursor":${JSON.stringify(nextCursor)}`;
  }

  private async *writeImages(
    connection: QueryRunner,
    target: string,
    source: string,
    { limit, after }: Page,
  ): AsyncGenerator<string, string | null> {
    const stream = (rows: number | null) => this.images.streamCopied(connection, target, source, rows, after);
    if (limit === null) {
      yield* jsonItems(stream(null), toImageMember);
      return null;
    }
    const rows: CopiedImageRow[] = [];
    for await (const batch of stream(limit + 1)) rows.push(...batch);
    const { items, nextCursor } = cutPage(rows, limit, ({ orderId }) => encodeCursor(orderId));
    yield items.map(toImageMember).join(',');
    return nextCursor;
  }

  private async find(
    target: string,
    { manager } = this.dataSource as Pick<QueryRunner, 'manager'>,
  ): Promise<AttemptRow> {
    const attempt = await this.attempts.find(manager, target);
    if (attempt) return attempt;
    const exists = await this.tasks.find(manager, target);
    throw new ApiError(exists ? 'NOT_A_COPY' : 'TASK_NOT_FOUND', { id: target });
  }
}

function toImageMember(row: CopiedImageRow): string {
  return jsonMember(row.sourceId, NewImageInfo.from(row));
}

function toRoiMember(row: CopiedRoiRow): string {
  return jsonMember(row.sourceRoiId, row.sourceImageId);
}
