import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import express from 'express';
import { Upload } from '../../src/coco/upload';
import { sendPlain } from '../support/plain-request';

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
  const app = express().put('/', async (upload, response) => {
    const before = process.memoryUsage().arrayBuffers;
    const sampling = setInterval(() => {
      held = Math.max(held, process.memoryUsage().arrayBuffers - before);
    }, 1);
    const file = await Upload.receive(upload, BYTES);
    clearInterval(sampling);
    await file.close();
    response.end();
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const body = Buffer.alloc(BYTES);
  const answer = await sendPlain(`http://127.0.0.1:${port}`, { method: 'PUT', path: '/', body });
  server.close();
  expect(answer.status).toBe(200);
  expect(held).toBeGreaterThan(0);
  expect(held).toBeLessThan(16 * MB);
});
