import { Readable } from 'node:stream';
import { StreamableFile } from '@nestjs/common';

/** A reader that takes nothing for this long is cut off: it holds a connection to the database. */
const STALL_MS_MAX = 60_000;

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
    try {
      for (let piece = first; !piece.done; piece = await pieces.next()) {
        const stall = setTimeout(
          () => stream.destroy(new Error('the reader took nothing for too long')),
          STALL_MS_MAX,
        );
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
