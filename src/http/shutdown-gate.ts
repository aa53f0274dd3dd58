import type { NextFunction, Request, Response } from 'express';
import { ApiError } from '../errors/api-error';

/** Lets no new request in once the service is told to stop; those that are running go on. */
export class ShutdownGate {
  private closed = false;

  close(): void {
    this.closed = true;
  }

  readonly middleware = (_request: Request, response: Response, next: NextFunction): void => {
    if (!this.closed) return next();
    response.set('Connection', 'close');
    next(new ApiError('SHUTTING_DOWN'));
  };
}
