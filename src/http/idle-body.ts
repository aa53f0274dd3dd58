import type { NextFunction, Request, Response } from 'express';
import { ApiError } from '../errors/api-error';

/** There is no limit on how long a body takes as a whole, but so long without a byte of it ends the request. */
const IDLE_MS_MAX = 60_000;

/** Answers 408 to a body that has stopped coming. The time ends with the body: an answer may take as long as it takes. */
export function idleBody(answer: (thrown: unknown, request: Request, response: Response) => void) {
  return (request: Request, response: Response, next: NextFunction): void => {
    request.setTimeout(IDLE_MS_MAX, () => {
      if (request.complete || response.headersSent) return;
      response.set('Connection', 'close');
      response.once('finish', () => request.destroy());
      answer(new ApiError('REQUEST_TIMEOUT'), request, response);
    });
    const clear = (): void => void request.setTimeout(0);
    request.once('end', clear).once('close', clear);
    next();
  };
}
