import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { ApiError } from '../errors/api-error';
import { hasBody } from './json-body';

/** There is no limit on how long a body takes as a whole, but so long without a byte of it ends the request. */
const IDLE_MS_MAX = 60_000;
const LOOKS = 12;

/**
 * Answers 408 to a body that has stopped coming. It counts the bytes of the connection instead of using the socket's own
 * timeout, which would run on while the answer is made, and which Node needs for idle connections.
 */
export function idleBody(
  answer: (thrown: unknown, request: Request, response: Response) => void,
  idleMsMax = IDLE_MS_MAX,
): RequestHandler {
  return (request: Request, response: Response, next: NextFunction): void => {
    if (hasBody(request)) {
      const stop = whenIdle(request, idleMsMax, () => {
        if (response.headersSent) return;
        response.set('Connection', 'close');
        response.once('finish', () => request.destroy());
        answer(new ApiError('REQUEST_TIMEOUT'), request, response);
      });
      request.once('end', stop);
      response.once('close', stop);
    }
    next();
  };
}

/** @returns what ends the watch */
function whenIdle(request: Request, idleMsMax: number, act: () => void): () => void {
  let [bytes, since] = [request.socket.bytesRead, Date.now()];
  const timer = setInterval(() => {
    if (request.socket.bytesRead !== bytes) {
      [bytes, since] = [request.socket.bytesRead, Date.now()];
    } else if (Date.now() - since >= idleMsMax) {
      stop();
      act();
    }
  }, idleMsMax / LOOKS);
  const stop = (): void => clearInterval(timer);
  return stop;
}
