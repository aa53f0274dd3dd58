import { Readable } from 'node:stream';
import { StreamableFile } from '@nestjs/common';

/** A reader that takes nothing for this long is cut off: it holds a connection to the database. */
const STALL_MS_MAX = 60_000;
/** And so is one that goes on taking less than this: 64 KiB/s. A million images take three quarters of an hour then. */
const CHARS_PER_MS_MIN = 64;

/** The members of an answer as JSON text, made piece by piece while they are sent. */
export class MemberStream {
  constructor(
    readonly members: AsyncGenerator<string>,
    /** In place of the usual message. */
    readonly msg?: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {}
}

/**
 * A body sent while it is made. The first piece is made before this resolves, so that what goes wrong until then becomes an
 * ordinary error; what goes wrong later cuts the connection, which no client takes for the end.
 */
export async function streamText(
  pieces: AsyncGenerator<string>,
  options: { disposition?: string } = {},
): Promise<StreamableFile> {
  const first = await pieces.next();
  const stream: Readable = Readable.from(paced(), { objectMode: false, highWaterMark: 1 });
  return new StreamableFile(stream, { type: 'application/json; charset=utf-8', ...options });

  async function* paced(): AsyncGenerator<string> {
    let creditMs = STALL_MS_MAX;
    try {
      for (let piece = first; !piece.done; piece = await pieces.next()) {
        const offeredAt = performance.now();
        const stall = setTimeout(() => stream.destroy(new Error('the reader takes too little')), creditMs);
        try {
          yield piece.value;
        } finally {
          clearTimeout(stall);
        }
        // Quick pieces make up for the time of slow ones, but never for more than one stall.
        const earnedMs = piece.value.length / CHARS_PER_MS_MIN - (performance.now() - offeredAt);
        creditMs = Math.min(STALL_MS_MAX, creditMs + earnedMs);
      }
    } finally {
      await pieces.return(undefined);
    }
  }
}
