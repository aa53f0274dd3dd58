import { randomUUID } from 'node:crypto';
import { STATUS_CODES, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { ApiError } from '../errors/api-error';
import { errorAnswer } from '../errors/error-answer';
import type { ErrorName } from '../errors/errors';

/** https://nodejs.org/docs/latest-v20.x/api/http.html#event-clienterror */
const FAULTS: Readonly<Record<string, ErrorName>> = {
  HPE_HEADER_OVERFLOW: 'HEADERS_TOO_LARGE',
  ERR_HTTP_REQUEST_TIMEOUT: 'REQUEST_TIMEOUT',
};

/** How long a client has to take note that its connection is being closed. */
const CLOSE_MS_MAX = 1_000;

/** What goes wrong below Express, where there is no request yet, is answered with the same body as everything else. */
export function answerConnectionFaults(server: Server): void {
  server.on('clientError', (fault: NodeJS.ErrnoException, socket: Duplex) => {
    // Of a request whose answer has begun nothing more can be said.
    if (fault.code === 'ECONNRESET' || !socket.writable || answerHasBegun(socket)) socket.destroy(fault);
    else endWith(socket, FAULTS[fault.code ?? ''] ?? 'BAD_REQUEST');
  });
  // An expectation that Node does not know may be ignored (RFC 9110, 10.1.1); Node would answer without a body.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  // CONNECT is for proxies; Node would close the connection without a word.
  server.on('connect', (_request, socket) => endWith(socket, 'BAD_REQUEST'));
}

/** Node keeps the answer that a socket is carrying on the socket. */
function answerHasBegun(socket: Duplex & { _httpMessage?: { headersSent: boolean } | null }): boolean {
  return socket._httpMessage?.headersSent === true;
}

/**
 * What still comes is read and thrown away: unread bytes would reset the connection, and the answer with it. Nobody else
 * closes it, since Node has let go of the connection.
 */
function endWith(socket: Duplex, errorName: ErrorName): void {
  socket.end(rawAnswer(errorName));
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), CLOSE_MS_MAX);
  socket.once('end', () => socket.destroy()).once('close', () => clearTimeout(timer));
}

function rawAnswer(errorName: ErrorName): string {
  const { status, headers, body } = errorAnswer(new ApiError(errorName), 'zh');
  const text = JSON.stringify(body);
  const lines = {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(text)),
    'X-Request-Id': randomUUID(),
    Connection: 'close',
    ...headers,
  };
  const head = Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ''}\r\n${head.join('')}\r\n${text}`;
}
