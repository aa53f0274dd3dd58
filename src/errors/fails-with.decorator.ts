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

const EXAMPLE_DETAILS: ErrorDetails = {
  member: 'task_id',
  id: '2018102439652891056',
  source: '2018102439652891014',
  image: '2018080810000000001',
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
            { summary: en, value: { code, msg: messageOf(name, EXAMPLE_DETAILS, 'zh') } },
          ]),
        ),
      },
    },
  });
}
