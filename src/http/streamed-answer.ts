import { Readable } from 'node:stream';
import { StreamableFile } from '@nestjs/common';

/** A reader that takes nothing for this long is cut off: it holds a connection to the database. */
const STALL_MS_MAX = 60_000;

/**
 * An answer written piece by piece while it is read. The first piece is made before this resolves, so that what goes wrong
 * until then becomes an ordinary error; what goes wrong later cuts the connection, which no client takes for the end.
 */
export async function streamedAnswer(pieces: AsyncGenerator<string>): Promise<StreamableFile> {
  const first = await pieces.next();
  const stream: Readable = Readable.from(paced(), { objectMode: false, highWaterMark: 1 });
  return new StreamableFile(stream, { type: 'application/json; charset=utf-8' });

  async function* paced(): AsyncGenerator<string> {
    try {
      for (let piece = first; !piece.done; piece = await pieces.next()) {
        const stall = setTimeout(() => stream.destroy(new Error('the reader took nothing for too long')), STALL_MS_MAX);
        try {
          yield piece.value;
        } finally {
          clearTimeout(stall);
        }
      }
    } finally {
      await pieces.return(undefined);
    }
  }
}
