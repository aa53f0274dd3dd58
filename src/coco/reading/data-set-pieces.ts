import type { QueryRunner } from 'typeorm';
import type { OneInFlight } from '../../database/one-in-flight';
import { ApiError } from '../../errors/api-error';
import type { LocalText } from '../../errors/errors';
import { printable } from '../../http/validation';
import { placeIn } from '../data-set-faults';
import type { DataSetFile } from '../data-set-file';
import type { JsonPiece } from '../json/json-piece';
import { JsonSyntaxError } from '../json/json-syntax-error';
import { splitJson } from '../json/split-json';
import { positionOf } from '../json/text-position';
import { UnusableJson, type JsonPlace, type JsonProblem } from '../json/unusable-json';
import type { CocoAnnotation } from './coco-elements';
import type { PlainAnnotationReader } from './plain-annotation-reader';

export type Piece = JsonPiece<CocoAnnotation>;

const LAYOUT = { arrays: ['images', 'categories', 'annotations'], kept: ['info', 'licenses'] };
const SILENCE_MS_MAX = 5_000;

/**
 * The pieces of a data set as they come from its file, while the session of the connection is kept awake.
 * @throws ApiError MALFORMED_FILE, NOT_A_DATA_SET
 */
export async function* readPieces(
  file: DataSetFile,
  connection: QueryRunner,
  statements: OneInFlight,
  plainReader: (member: string) => PlainAnnotationReader | null,
): AsyncGenerator<Piece[], void> {
  try {
    yield* splitJson(stayAwake(file.read(), connection, statements), { ...LAYOUT, plainReader });
  } catch (fault) {
    throw await toApiError(fault, file);
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

async function toApiError(fault: unknown, file: DataSetFile): Promise<unknown> {
  if (fault instanceof JsonSyntaxError) {
    const { offset } = fault;
    return new ApiError('MALFORMED_FILE', { offset, ...(await positionOf(file.read(), offset)) });
  }
  if (fault instanceof UnusableJson) return notADataSet(describe(fault));
  return fault;
}

export function notADataSet(detail: LocalText): ApiError {
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
