import type { Readable } from 'node:stream';
import { request } from 'undici';

/** One request and its answer, read to the end and thrown away. Times are those of performance.now(). */
export interface Exchange {
  readonly sentAt: number;
  readonly firstByteAt: number;
  /** The same since 1970, by the clock that the databases of this machine read: performance.now() runs away from it. */
  readonly firstByteClockMs: number;
  readonly lastByteAt: number;
  readonly bytes: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The first bytes of the answer, and the last. */
  readonly head: string;
  readonly tail: string;
}

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly json?: unknown;
  readonly upload?: Readable;
}

const KEPT_BYTES = 2_000;

/** @throws what the service answered, unless it is a success */
export async function exchange(url: string, { method, path, json, upload }: Call): Promise<Exchange> {
  const sentAt = performance.now();
  const { statusCode, headers, body } = await request(url + path, {
    method,
    headers: { 'Accept-Language': 'en', 'Content-Type': 'application/json' },
    body: upload ?? (json === undefined ? null : JSON.stringify(json)),
    // A million images take as long as they take.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  // The service sends its status together with the first piece of the answer.
  const firstByteAt = performance.now();
  const firstByteClockMs = Date.now();
  let bytes = 0;
  let head = '';
  let last: Buffer = Buffer.alloc(0);
  for await (const chunk of body as AsyncIterable<Buffer>) {
    if (bytes === 0) head = chunk.toString('utf8', 0, KEPT_BYTES);
    bytes += chunk.length;
    last = chunk.length >= KEPT_BYTES ? chunk : Buffer.concat([last.subarray(-KEPT_BYTES), chunk]);
  }
  const lastByteAt = performance.now();
  if (statusCode >= 400) throw new Error(`${method} ${path}: ${statusCode} ${head}`);
  return {
    sentAt,
    firstByteAt,
    firstByteClockMs,
    lastByteAt,
    bytes,
    headers,
    head,
    tail: last.toString('utf8').slice(-KEPT_BYTES),
  };
}
