import type { Request } from 'express';

/**
 * Who is still sending must be able to send the rest, or his connection is reset before he reads why. It is thrown away.
 * Node itself does this for bodies of which nothing was read, and closes at once where the client asked for it.
 */
export function readToEnd(request: Request): void {
  if (request.complete) return;
  request.resume();
  const response = request.res;
  if (!response || response.shouldKeepAlive) return;
  response.shouldKeepAlive = true;
  request.once('end', () => request.socket.end());
}
