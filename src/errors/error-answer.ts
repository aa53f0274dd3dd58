import type { ApiError } from './api-error';
import { ERRORS, messageOf, statusOf, type ErrorEntry, type Language } from './errors';

export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: { readonly code: number; readonly msg: string };
}

/** What a client reads of an error: exactly `code` and `msg`, with `Retry-After` where repeating is worth it. */
export function errorAnswer({ errorName, details }: ApiError, language: Language): ErrorAnswer {
  const entry: ErrorEntry = ERRORS[errorName];
  return {
    status: statusOf(errorName),
    headers: {
      ...(entry.retryAfterS !== undefined && { 'Retry-After': String(entry.retryAfterS) }),
      ...(errorName === 'METHOD_NOT_ALLOWED' && { Allow: details['allowed'] as string }),
    },
    body: { code: entry.code, msg: messageOf(errorName, details, language) },
  };
}
