import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Server } from 'node:http';
import express from 'express';
import { ErrorFilter } from '../errors/error.filter';
import { idleBody } from './idle-body';
import { requestId } from './request-id';

const IDLE_MS = 120;
const HEAD = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n';

let server: Server;
let client: Socket;
let received: string;

beforeEach(async () => {
  const filter = new ErrorFilter();
  const app = express()
    .use(requestId)
    .use(idleBody(filter.answer.bind(filter), IDLE_MS))
    // Answers long after the body has come.
    .post('/', (request, response) => {
      request.resume().on('end', () => setTimeout(() => response.end('done'), 3 * IDLE_MS));
    });
  server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  received = '';
  client.setEncoding('utf8').on('data', (text: string) => (received += text));
});
afterEach(async () => {
  client.destroy();
  server.close();
  await once(server, 'close');
});

it('answers 408 to a body that has stopped coming, and closes the connection', async () => {
  client.write(`${HEAD}ab`);
  await once(client, 'close');
  expect(received).toMatch(/^HTTP\/1\.1 408 /);
  expect(received).toMatch(/"code":40801/);
});

it('lets a slow body come, however long it takes as a whole, and the answer take its time', async () => {
  client.write(HEAD);
  for (const byte of 'abcd') {
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS / 2));
    client.write(byte);
  }
  await once(client, 'data');
  expect(received).toMatch(/^HTTP\/1\.1 200 /);
});

it('leaves an idle connection between two requests to Node, which closes it in time', async () => {
  const connected = once(server, 'connection') as Promise<[Socket]>;
  client.write(`${HEAD}abcd`);
  const [socket] = await connected;
  await once(client, 'data');
  expect(socket.timeout).toBeGreaterThanOrEqual(server.keepAliveTimeout);
});
