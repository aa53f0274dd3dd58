import { randomUUID } from 'node:crypto';
import { open, unlink, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Request } from 'express';
import { OneInFlight } from '../database/one-in-flight';
import { ApiError } from '../errors/api-error';
import type { DataSetFile } from './data-set-file';

const CHUNK_BYTES = 2 ** 16;
/** Chunks come in 64 KB at most: to write each of them costs a third of the time of receiving. */
const WRITE_BYTES = 2 ** 19;
/** Chunks lie outside of V8's heap: by itself it lets 32 MB of them come together, and reading begins on top of them. */
const COLLECT_BYTES = 2 ** 22;
const TYPES = ['application/json', 'application/octet-stream'];
const CHARSETS = ['', 'utf-8', 'utf8', 'us-ascii'];

/** Requests whose body is a file: it is read here, not by the JSON parser. */
export function isUpload({ method, path }: Pick<Request, 'method' | 'path'>): boolean {
  return method === 'PUT' && /^\/training\/tasks\/[^/]+\/coco\/?$/i.test(path);
}

/** An uploaded file on the disk. It has no name any more, so that nothing of it is left whatever happens to the process. */
export class Upload implements DataSetFile {
  private constructor(private readonly file: FileHandle) {}

  /**
   * Reads the request's body to its end: only then is it worth to take a lock or a connection.
   * @throws ApiError UNSUPPORTED_MEDIA_TYPE, UNSUPPORTED_ENCODING, BODY_TOO_LARGE, INCOMPLETE_BODY
   */
  static async receive(request: Request, bytesMax: number): Promise<Upload> {
    checkHeaders(request, bytesMax);
    const path = join(tmpdir(), `training-tasks-upload-${randomUUID()}`);
    const file = await open(path, 'wx+', 0o600);
    try {
      await unlink(path);
      await copyBody(request, file, bytesMax);
      return new Upload(file);
    } catch (fault) {
      await file.close();
      throw isAborted(fault) ? new ApiError('INCOMPLETE_BODY', {}, { cause: fault }) : fault;
    }
  }

  async *read(): AsyncGenerator<Buffer> {
    for (let position = 0; ;) {
      const { buffer, bytesRead } = await this.file.read({
        buffer: Buffer.allocUnsafe(CHUNK_BYTES),
        position,
      });
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
      position += bytesRead;
    }
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

async function copyBody(request: Request, file: FileHandle, bytesMax: number): Promise<void> {
  const writes = new OneInFlight();
  let [received, collectedAt] = [0, 0];
  let chunks: Buffer[] = [];
  let bytes = 0;
  // A loop that ends early would destroy the request, and with it the connection that the refusal is answered on.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    received += chunk.length;
    if (received > bytesMax) throw new ApiError('BODY_TOO_LARGE', { max: bytesMax });
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes < WRITE_BYTES) continue;
    const full = chunks;
    await writes.start(() => file.appendFile(Buffer.concat(full)));
    [chunks, bytes] = [[], 0];
    if (received - collectedAt >= COLLECT_BYTES) {
      globalThis.gc?.({ type: 'minor' }); // there with --expose-gc, as `npm start` has it
      collectedAt = received;
    }
  }
  await writes.run(() => file.appendFile(Buffer.concat(chunks)));
}

function checkHeaders(request: Request, bytesMax: number): void {
  const { type, charset } = contentTypeOf(request);
  if (type !== undefined && !TYPES.includes(type))
    throw new ApiError('UNSUPPORTED_MEDIA_TYPE', { types: TYPES.join(' | ') });
  const encoding = request.get('Content-Encoding')?.toLowerCase() ?? 'identity';
  // JSON is UTF-8 (RFC 8259, 8.1).
  if (encoding !== 'identity' || !CHARSETS.includes(charset)) throw new ApiError('UNSUPPORTED_ENCODING');
  if (Number(request.get('Content-Length') ?? 0) > bytesMax)
    throw new ApiError('BODY_TOO_LARGE', { max: bytesMax });
}

/** Express's own `request.is` knows no type for a request without a body. */
function contentTypeOf(request: Request): { type: string | undefined; charset: string } {
  const [type, ...parameters] = request.get('Content-Type')?.toLowerCase().split(';') ?? [];
  const charsets = parameters.map((parameter) => /^\s*charset="?([^"]*)"?\s*$/.exec(parameter)?.[1]);
  return { type: type?.trim(), charset: charsets.find(Boolean) ?? '' };
}

function isAborted(fault: unknown): boolean {
  const { code } = fault as NodeJS.ErrnoException;
  return code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE';
}
