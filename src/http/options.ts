import type { NextFunction, Request, Response } from 'express';
import { allowedMethods } from '../errors/allowed-methods';

/** Express would answer OPTIONS with a text; a preflight of a browser has been answered before, by the CORS middleware. */
export function answerOptions(request: Request, response: Response, next: NextFunction): void {
  const allowed = request.method === 'OPTIONS' ? allowedMethods(request) : [];
  if (allowed.length === 0) return next();
  response.status(204).set('Allow', allowed.join(', ')).end();
}
