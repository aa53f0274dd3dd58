import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import { ERRORS, statusOf, type ErrorEntry, type ErrorName } from './errors';

/** What any request may meet. */
const ALWAYS: readonly ErrorName[] = [
  'BAD_REQUEST',
  'UNKNOWN_PROPERTY',
  'INTERNAL',
  'DATABASE_AWAY',
  'SHUTTING_DOWN',
];

/** Documents the errors of an endpoint, from the registry: one answer for each status, one example for each error. */
export function FailsWith(...names: ErrorName[]): MethodDecorator & ClassDecorator {
  const byStatus = new Map<number, ErrorName[]>();
  for (const name of [...names, ...ALWAYS]) {
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
    headers: repeatable ? { 'Retry-After': { description: 'seconds', schema: { type: 'integer' } } } : {},
    content: {
      'application/json': {
        schema: { $ref: '#/components/schemas/Failure' },
        examples: Object.fromEntries(
          entries.map(([name, { code, zh, en }]) => [name, { summary: en, value: { code, msg: zh } }]),
        ),
      },
    },
  });
}
