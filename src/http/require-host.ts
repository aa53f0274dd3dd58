import type { NextFunction, Request, Response } from 'express';
import { ApiError } from '../errors/api-error';

/** HTTP/1.1 requires `Host`; Node's own check, which answers without a body, is off. */
export function requireHost(request: Request, _response: Response, next: NextFunction): void {
  const missing = request.httpVersion === '1.1' && request.headers.host === undefined;
  next(missing ? new ApiError('BAD_REQUEST') : undefined);
}
