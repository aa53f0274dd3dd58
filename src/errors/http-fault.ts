import type { Request } from 'express';
import { ApiError } from './api-error';
import { allowedMethods } from './allowed-methods';

/** What Express, its body parser and Nest throw: an error with an HTTP status, and from the parser a `type`. */
interface HttpFault {
  readonly status: number;
  readonly type?: string;
  /** Bytes, with 413. */
  readonly limit?: number;
}

export function isHttpFault(thrown: unknown): thrown is HttpFault {
  return (
    thrown instanceof Error && 'status' in thrown && typeof thrown.status === 'number' && thrown.status < 500
  );
}

/** Their texts are the libraries' and change with them; the status and the parser's `type` are their contract. */
export function fromHttpFault(fault: HttpFault, request: Request): ApiError {
  switch (fault.status) {
    case 404: {
      const allowed = allowedMethods(request);
      if (allowed.length > 0) return new ApiError('METHOD_NOT_ALLOWED', { allowed: allowed.join(', ') });
      return new ApiError('ROUTE_NOT_FOUND', { path: request.path });
    }
    case 408:
      return new ApiError('REQUEST_TIMEOUT');
    case 413:
      return new ApiError('BODY_TOO_LARGE', { max: fault.limit ?? 0 });
    case 415:
      // The parser's: charset.unsupported, encoding.unsupported. The type of the content is checked before it.
      return new ApiError('UNSUPPORTED_ENCODING');
    default:
      return new ApiError(PARSER_FAULTS[fault.type ?? ''] ?? 'BAD_REQUEST', {}, { cause: fault });
  }
}

/** https://github.com/expressjs/body-parser#errors */
const PARSER_FAULTS: Readonly<Record<string, 'MALFORMED_JSON' | 'INCOMPLETE_BODY'>> = {
  'entity.parse.failed': 'MALFORMED_JSON',
  'entity.verify.failed': 'MALFORMED_JSON',
  'request.aborted': 'INCOMPLETE_BODY',
  'request.size.invalid': 'INCOMPLETE_BODY',
};
