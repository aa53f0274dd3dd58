import { Injectable } from '@nestjs/common';
import type { QueryRunner } from 'typeorm';
import { ApiError } from '../errors/api-error';
import type { LocalText } from '../errors/errors';
import { printable } from '../http/validation';
import { bsonBytes, UnstorableJson } from '../labeled-images/json-measure';
import { AnnotationGroups, type AnnotationGroup } from './annotation-groups';
import { placeIn, PROBLEM_FAULTS } from './data-set-faults';
import {
  readAnnotation,
  readCategory,
  readImage,
  type CocoAnnotation,
  type CocoCategory,
  type CocoImage,
} from './coco-elements';
import type { DataSetFile } from './data-set-file';
import type { ImportReport } from './import-report';
import type { ElementPiece, JsonPiece } from './json/json-piece';
import { JsonSyntaxError } from './json/json-syntax-error';
import { splitJson } from './json/split-json';
import { positionOf } from './json/text-position';
import { UnusableJson, type JsonPlace, type JsonProblem } from './json/unusable-json';
import { OneInFlight } from './one-in-flight';
import { StagedRows } from './staged-rows';
import { StagingRepository } from './staging.repository';

/** `info` and `licenses` of a data set, as JSON text. */
export interface DataSetHead {
  cocoInfo: string | null;
  cocoLicenses: string | null;
}

/** Reads a data set once, from beginning to end, and puts its elements into the temporary tables as they come. */
@Injectable()
export class DataSetReader {
  constructor(private readonly staging: StagingRepository) {}

  /**
   * @returns what stands beside the arrays; faults and dirt of single elements go into the report
   * @throws ApiError MALFORMED_FILE, NOT_A_DATA_SET
   */
  async read(connection: QueryRunner, file: DataSetFile, report: ImportReport): Promise<DataSetHead> {
    const statements = new OneInFlight();
    const reading = new Reading(this.staging, connection, statements, report);
    try {
      for await (const pieces of splitJson(stayAwake(file.read(), connection, statements), LAYOUT)) {
        for (const piece of pieces) reading.take(piece);
        await reading.sendFull();
      }
      return await reading.finish();
    } catch (fault) {
      throw await toApiError(fault, file);
    } finally {
      // The next user of the connection must not find a statement running, and its fault is not the first one.
      await statements.ended().catch(() => undefined);
    }
  }
}

/** The server ends a session that has been silent for 15 s, and a file may hold gigabytes that are no rows. */
async function* stayAwake(
  chunks: AsyncIterable<Buffer>,
  connection: QueryRunner,
  statements: OneInFlight,
): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    if (statements.silentMs > SILENCE_MS_MAX) await statements.start(() => connection.query('SELECT'));
    yield chunk;
  }
}

const SILENCE_MS_MAX = 5_000;

const LAYOUT = { arrays: ['images', 'categories', 'annotations'], kept: ['info', 'licenses'] };
const HEAD_DEPTH = 1;

/** One reading of one file. */
class Reading {
  private readonly head: DataSetHead = { cocoInfo: null, cocoLicenses: null };
  private readonly images: StagedRows<CocoImage>;
  private readonly categories: StagedRows<CocoCategory>;
  private readonly groups = new AnnotationGroups();
  private readonly annotations: StagedRows<AnnotationGroup>;
  private hasImages = false;

  constructor(
    staging: StagingRepository,
    connection: QueryRunner,
    private readonly statements: OneInFlight,
    private readonly report: ImportReport,
  ) {
    this.images = new StagedRows(statements, (seq, rows) => staging.addImages(connection, seq, rows));
    this.categories = new StagedRows(statements, (seq, rows) => staging.addCategories(connection, seq, rows));
    this.annotations = new StagedRows(statements, (_, rows) => staging.addAnnotations(connection, rows));
  }

  take(piece: JsonPiece): void {
    switch (piece.kind) {
      case 'element':
        this.takeElement(piece);
        break;
      case 'array':
        this.hasImages ||= piece.member === 'images';
        break;
      case 'value':
        this.takeHead(piece.member, piece.value);
        break;
      case 'ignored':
        this.report.warn('top_level_member_left_out', piece.member);
    }
  }

  async sendFull(): Promise<void> {
    for (const rows of this.tables) if (rows.isFull) await rows.send();
  }

  /** @throws ApiError NOT_A_DATA_SET */
  async finish(): Promise<DataSetHead> {
    if (!this.hasImages) throw notADataSet({ zh: '没有 images', en: 'it has no images' });
    this.addGroup(this.groups.end());
    for (const rows of this.tables) await rows.send();
    await this.statements.ended();
    return this.head;
  }

  private get tables() {
    return [this.images, this.categories, this.annotations];
  }

  private takeElement({ member, value, index, bytes }: ElementPiece): void {
    if (member === 'images') this.images.add(readImage(value, index, this.report), bytes);
    else if (member === 'categories') this.categories.add(readCategory(value, index, this.report), bytes);
    else this.takeAnnotation(readAnnotation(value, index, this.report), bytes);
  }

  private takeAnnotation(annotation: CocoAnnotation | null, bytes: number): void {
    if (annotation !== null) this.addGroup(this.groups.add(annotation, bytes));
  }

  private addGroup(group: AnnotationGroup | null): void {
    if (group !== null) this.annotations.add(group, group.bytes);
  }

  private takeHead(member: string, value: unknown): void {
    if (value === null) return;
    try {
      bsonBytes(value, HEAD_DEPTH);
    } catch (fault) {
      if (!(fault instanceof UnstorableJson)) throw fault;
      this.report.fault(PROBLEM_FAULTS[fault.problem], member);
      return;
    }
    this.head[member === 'info' ? 'cocoInfo' : 'cocoLicenses'] = JSON.stringify(value);
  }
}

async function toApiError(fault: unknown, file: DataSetFile): Promise<unknown> {
  if (fault instanceof JsonSyntaxError) {
    const { offset } = fault;
    return new ApiError('MALFORMED_FILE', { offset, ...(await positionOf(file.read(), offset)) });
  }
  if (fault instanceof UnusableJson) return notADataSet(describe(fault));
  return fault;
}

function notADataSet(detail: LocalText): ApiError {
  return new ApiError('NOT_A_DATA_SET', { detail });
}

function describe({ problem, place }: UnusableJson): LocalText {
  return placeIn(PROBLEMS[problem], nameOf(place));
}

function nameOf({ member = '', index }: JsonPlace): string {
  return printable(member) + (index === undefined ? '' : `[${String(index)}]`);
}

const PROBLEMS: Readonly<Record<JsonProblem, LocalText>> = {
  'no-object': { zh: '顶层不是对象', en: 'its top level is no object' },
  'name-too-long': { zh: '顶层成员名过长', en: 'the name of a top-level member is too long' },
  'repeated-member': { zh: '{at} 出现多次', en: '{at} is there more than once' },
  'member-no-array': { zh: '{at} 不是数组', en: '{at} is no array' },
  'member-too-large': { zh: '{at} 过大', en: '{at} is too large' },
  'member-too-deep': { zh: '{at} 嵌套过深', en: '{at} is nested too deep' },
  'element-no-object': { zh: '{at} 不是对象', en: '{at} is no object' },
  'element-too-large': { zh: '{at} 过大', en: '{at} is too large' },
  'element-too-deep': { zh: '{at} 嵌套过深', en: '{at} is nested too deep' },
};
