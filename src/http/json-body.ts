import { isUtf8 } from 'node:buffer';
import { json, type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import { ApiError } from '../errors/api-error';
import { fromHttpFault, isHttpFault } from '../errors/http-fault';

type IsKind = (request: Request) => boolean;

const parse = parser(2 ** 20);
const parseDocument = parser(15 * 2 ** 20);

function parser(limit: number): RequestHandler {
  return json({
    limit,
    // Any JSON value is parsed, so that a body that is none of an object is told from one that is no JSON.
    strict: false,
    // JSON is UTF-8 (RFC 8259, 8.1). The parser takes other charsets of Unicode too, and would replace in silence what is not
    // UTF-8.
    verify: (_request, _response, body, charset) => {
      if (charset !== 'utf-8') throw Object.assign(new Error(`charset ${charset}`), { status: 415 });
      if (!isUtf8(body)) throw new ApiError('MALFORMED_JSON');
    },
  });
}

/**
 * Parses JSON bodies; a body of another type is refused. Those that hold a document may be larger. Uploads of files read the
 * request themselves.
 */
export function jsonBody(isUpload: IsKind, isDocument: IsKind): RequestHandler {
  return (request: Request, response: Response, next: NextFunction) => {
    if (!hasBody(request) || isUpload(request)) {
      next();
      return;
    }
    if (request.is('application/json') === false) {
      next(new ApiError('UNSUPPORTED_MEDIA_TYPE', { types: 'application/json' }));
      return;
    }
    // Nest would make a BadRequestException of what is no JSON, and lose its kind.
    const parseBody = isDocument(request) ? parseDocument : parse;
    parseBody(request, response, (fault?: unknown) => {
      next(isHttpFault(fault) ? fromHttpFault(fault, request) : fault);
    });
  };
}

export function hasBody(request: Request): boolean {
  const length = request.get('Content-Length');
  return request.get('Transfer-Encoding') !== undefined || (length !== undefined && length !== '0');
}
