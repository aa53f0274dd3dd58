import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import express from 'express';
import { Upload } from './upload';

const MB = 2 ** 20;
const BYTES = 64 * MB;

afterEach(() => {
  globalThis.gc = undefined;
});

/** Node makes a Buffer of each chunk, and V8 by itself waits for 32 MB of them. */
it('what has been received is not held until V8 sees it', async () => {
  setFlagsFromString('--expose-gc');
  globalThis.gc = runInNewContext('gc') as NodeJS.GCFunction;
  let held = 0;
  const server = createServer(
    express().put('/', async (upload, response) => {
      const before = process.memoryUsage().arrayBuffers;
      const sampling = setInterval(() => {
        held = Math.max(held, process.memoryUsage().arrayBuffers - before);
      }, 1);
      const file = await Upload.receive(upload, BYTES);
      clearInterval(sampling);
      await file.close();
      response.end();
    }),
  );
  await send(server);
  expect(held).toBeGreaterThan(0);
  expect(held).toBeLessThan(16 * MB);
});

/** A body without much being made by who sends it. */
async function send(server: Server): Promise<void> {
  server.listen(0, '127.0.0.1');
  try {
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const sent = request({ port, host: '127.0.0.1', method: 'PUT', agent: false });
    const answered = once(sent, 'response');
    const chunk = Buffer.alloc(MB / 16, ' ');
    await pipeline(Readable.from(Array.from({ length: BYTES / chunk.length }, () => chunk)), sent);
    await answered;
  } finally {
    server.close();
  }
}
