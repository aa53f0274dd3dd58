import { Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import { Client, DatabaseError } from 'pg';

const logger = new Logger('Database');

/** After this long without a byte the server is asked whether it is there: a statement may take longer than that. */
const SILENCE_MS_MAX = 10_000;
const ANSWER_MS_MAX = 5_000;

/**
 * Makes the sockets of a pool. One that hears nothing from a server that answers nobody else either is closed, so that
 * what waits for it fails in bounded time; the driver would wait for as long as TCP does, or a proxy between them.
 */
export function watchedSockets(url: string): () => Socket {
  let asking: Promise<boolean> | undefined;
  const isServerThere = (): Promise<boolean> => {
    asking ??= answers(url).finally(() => (asking = undefined));
    return asking;
  };
  return () => {
    const socket = new Socket();
    socket.setTimeout(SILENCE_MS_MAX, () => {
      void isServerThere().then((isThere) => {
        if (isThere) socket.setTimeout(SILENCE_MS_MAX);
        else socket.destroy(silent());
      });
    });
    return socket;
  };
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: ANSWER_MS_MAX });
  // A server that ends the session right away has answered.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.end();
    return true;
  } catch (error) {
    if (error instanceof DatabaseError) return true;
    logger.warn({ event: 'database_silent', error: String(error) });
    return false;
  }
}

function silent(): Error {
  return Object.assign(new Error('PostgreSQL does not answer'), { code: 'ETIMEDOUT' });
}
