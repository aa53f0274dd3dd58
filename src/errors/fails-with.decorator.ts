import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import { ERRORS, messageOf, statusOf, type ErrorDetails, type ErrorEntry, type ErrorName } from './errors';

/** What any request may meet. */
const ALWAYS: readonly ErrorName[] = [
  'BAD_REQUEST',
  'UNKNOWN_PROPERTY',
  'INTERNAL',
  'DATABASE_AWAY',
  'SHUTTING_DOWN',
];

/** What a request with a JSON body may meet. */
export const JSON_BODY_ERRORS = [
  'MALFORMED_JSON',
  'BODY_NOT_AN_OBJECT',
  'BODY_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'UNSUPPORTED_ENCODING',
  'REQUEST_TIMEOUT',
] as const satisfies readonly ErrorName[];

const EXAMPLE_DETAILS: ErrorDetails = {
  id: '2018102439652891056',
  source: '2018102439652891014',
  image: '2018080810000000001',
  current: 'a3f0c2018080810000000002',
  wanted: 1,
  actual: 2,
  max: 2 ** 20,
  types: 'application/json',
  line: 12,
  column: 7,
  offset: 311,
  count: 2,
  faults: '…',
  detail: '…',
  requestId: '0d9f3c1e-7a52-4f7e-9d0b-5f4c3c1b2a10',
};

/** What a message is about, where that is no `task_id`. */
const EXAMPLE_MEMBERS: Partial<Record<ErrorName, string>> = {
  UNKNOWN_PROPERTY: 'name',
  NOT_AN_IMAGE_ID: 'img_id',
  NOT_A_NAME: 'task_name',
  NOT_A_TASK_TYPE: 'task_type',
  NOT_A_LIMIT: 'limit',
  NOT_A_CURSOR: 'cursor',
  NOT_A_SEARCH: 'search',
  NOT_ANNOTATIONS: 'annotations',
  NOT_AN_ANNOTATION: 'annotations[3]',
  NOT_A_LABEL_CLASS_ID: 'annotations[3].lab_class_id',
  NOT_A_MONGO_ID: 'mongo_id',
  BAD_BOX: 'annotations[3].bbox',
  NEGATIVE_BOX: 'annotations[3].bbox',
  BAD_SEGMENTATION: 'annotations[3].segmentation',
  BAD_NUMBER: 'annotations[3]',
  BAD_TEXT: 'annotations[3]',
  TOO_DEEP: 'annotations[3]',
  UNKNOWN_LABEL_CLASS: 'annotations[3].lab_class_id',
};

/** Documents the errors of an endpoint, from the registry: one answer for each status, one example for each error. */
export function FailsWith(...names: ErrorName[]): MethodDecorator & ClassDecorator {
  const byStatus = new Map<number, ErrorName[]>();
  const byCode = [...names, ...ALWAYS].sort((one, other) => ERRORS[one].code - ERRORS[other].code);
  for (const name of byCode) {
    byStatus.set(statusOf(name), [...(byStatus.get(statusOf(name)) ?? []), name]);
  }
  return applyDecorators(...[...byStatus].map(([status, ofStatus]) => documentStatus(status, ofStatus)));
}

function documentStatus(status: number, names: ErrorName[]): MethodDecorator & ClassDecorator {
  const entries = names.map((name): [ErrorName, ErrorEntry] => [name, ERRORS[name]]);
  const repeatable = entries.some(([, { retryAfterS }]) => retryAfterS !== undefined);
  return ApiResponse({
    status,
    description: entries.map(([, { code, en }]) => `\`${String(code)}\` ${en}`).join('\n\n'),
    ...(repeatable && {
      headers: { 'Retry-After': { description: 'seconds', schema: { type: 'integer' } } },
    }),
    content: {
      'application/json': {
        schema: { $ref: '#/components/schemas/Failure' },
        examples: Object.fromEntries(
          entries.map(([name, { code, en }]) => [
            name,
            { summary: en, value: { code, msg: messageOf(name, exampleOf(name), 'zh') } },
          ]),
        ),
      },
    },
  });
}

function exampleOf(name: ErrorName): ErrorDetails {
  return { member: EXAMPLE_MEMBERS[name] ?? 'task_id', ...EXAMPLE_DETAILS };
}
