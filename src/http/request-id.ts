import { randomUUID } from 'node:crypto';
import type { NextFunction, Request, Response } from 'express';

/** An id of the caller's own is kept, so that one request can be followed through several services. */
const ACCEPTABLE = /^[\w.:-]{1,128}$/;

/** Every answer carries `X-Request-Id`, which the log lines about it name. */
export function requestId(request: Request, response: Response, next: NextFunction): void {
  const given = request.get('X-Request-Id');
  response.set('X-Request-Id', given !== undefined && ACCEPTABLE.test(given) ? given : randomUUID());
  next();
}
