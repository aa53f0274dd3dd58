import { once } from 'node:events';
import { promisify } from 'node:util';
import { newTaskId } from '../support/api';
import { aDataSet } from '../support/data-set';
import { eventually } from '../support/eventually';
import { expectFailure } from '../support/failure';
import { sendPlain } from '../support/plain-request';
import { exchange, exchangeAndEnd, open } from '../support/raw-socket';
import { TestApp } from '../support/test-app';

const TASKS = '/training/tasks';
const CLOSE = 'Host: x\r\nConnection: close\r\n';
const JSON_TYPE = 'Content-Type: application/json\r\n';

let app: TestApp;

beforeAll(async () => {
  app = await TestApp.start();
});
afterEach(async () => {
  expect((await app.api.get(`${TASKS}?limit=1`)).status).toBe(200);
});
afterAll(() => app.stop());

/** How many clients the server still holds a connection for. */
async function connections(): Promise<number> {
  const server = app.app.getHttpServer();
  server.closeIdleConnections();
  return promisify(server.getConnections.bind(server))();
}

describe('what is no HTTP', () => {
  it.each([
    ['garbage', 'garbage\r\n\r\n'],
    ['an empty request line', `\r\n \r\n${CLOSE}\r\n`],
    ['no path', `GET HTTP/1.1\r\n${CLOSE}\r\n`],
    ['an unknown method', `FROB ${TASKS} HTTP/1.1\r\n${CLOSE}\r\n`],
    ['a method in lower case', `get ${TASKS} HTTP/1.1\r\n${CLOSE}\r\n`],
    ['a space in the path', `GET ${TASKS} 1 HTTP/1.1\r\n${CLOSE}\r\n`],
    ['an unknown version', `GET ${TASKS} HTTP/9.9\r\n${CLOSE}\r\n`],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['another protocol', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['TLS', Buffer.from('16030100a5010000a10303', 'hex')],
    ['a header without a colon', `GET ${TASKS} HTTP/1.1\r\n${CLOSE}broken\r\n\r\n`],
    ['a header with a space before its colon', `GET ${TASKS} HTTP/1.1\r\n${CLOSE}X-A : 1\r\n\r\n`],
    ['a NUL in a header', `GET ${TASKS} HTTP/1.1\r\n${CLOSE}X-A: \0\r\n\r\n`],
    ['a bare carriage return', `GET ${TASKS} HTTP/1.1\r\n${CLOSE}X-A: a\rX-B: b\r\n\r\n`],
    ['a length that is none', `POST ${TASKS} HTTP/1.1\r\n${CLOSE}${JSON_TYPE}Content-Length: two\r\n\r\n{}`],
    ['a negative length', `POST ${TASKS} HTTP/1.1\r\n${CLOSE}${JSON_TYPE}Content-Length: -2\r\n\r\n{}`],
    [
      'a length past 64 bits',
      `POST ${TASKS} HTTP/1.1\r\n${CLOSE}${JSON_TYPE}Content-Length: 99999999999999999999\r\n\r\n{}`,
    ],
    [
      'two lengths',
      `POST ${TASKS} HTTP/1.1\r\n${CLOSE}${JSON_TYPE}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`,
    ],
    [
      'a length and chunks',
      `POST ${TASKS} HTTP/1.1\r\n${CLOSE}${JSON_TYPE}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
    ],
    [
      'an unknown transfer encoding',
      `POST ${TASKS} HTTP/1.1\r\n${CLOSE}${JSON_TYPE}Transfer-Encoding: frob\r\n\r\n{}`,
    ],
    [
      'a bad chunk size',
      `POST ${TASKS} HTTP/1.1\r\n${CLOSE}${JSON_TYPE}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n`,
    ],
    [
      'a bad chunk size behind a good one',
      `POST ${TASKS} HTTP/1.1\r\n${CLOSE}${JSON_TYPE}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n-1\r\n`,
    ],
    [
      'a chunk longer than it says',
      `POST ${TASKS} HTTP/1.1\r\n${CLOSE}${JSON_TYPE}Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n`,
    ],
    [
      'a bad chunk of an upload',
      `PUT ${TASKS}/${newTaskId()}/coco?task_type=1 HTTP/1.1\r\n${CLOSE}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
    ],
  ])('%s: 400, and the connection is closed', async (_, bytes) => {
    const answers = await exchange(app.url, bytes);
    expect(answers).toHaveLength(1);
    expectFailure(answers[0]!, 'BAD_REQUEST', 'zh');
  });

  it.each([
    ['one header', `X-Large: ${'x'.repeat(17_000)}\r\n`],
    ['many headers', 'X-Large: xxxxxxxxxxxxxxxx\r\n'.repeat(1_000)],
  ])('over 16 KB in %s: 431', async (_, headers) => {
    const answers = await exchange(app.url, `GET ${TASKS} HTTP/1.1\r\n${CLOSE}${headers}\r\n`);
    expect(answers).toHaveLength(1);
    expectFailure(answers[0]!, 'HEADERS_TOO_LARGE', 'zh');
  });

  it('over 16 KB in the path: 431', async () => {
    const answers = await exchange(
      app.url,
      `GET ${TASKS}?search=${'x'.repeat(17_000)} HTTP/1.1\r\n${CLOSE}\r\n`,
    );
    expect(answers).toHaveLength(1);
    expectFailure(answers[0]!, 'HEADERS_TOO_LARGE', 'zh');
  });

  it('CONNECT is for proxies', async () => {
    const answers = await exchange(app.url, `CONNECT example.org:443 HTTP/1.1\r\n${CLOSE}\r\n`);
    expect(answers).toHaveLength(1);
    expectFailure(answers[0]!, 'BAD_REQUEST', 'zh');
  });

  it('HTTP/1.1 without Host', async () => {
    const answers = await exchange(
      app.url,
      `GET ${TASKS} HTTP/1.1\r\nConnection: close\r\nAccept-Language: en\r\n\r\n`,
    );
    expect(answers).toHaveLength(1);
    expectFailure(answers[0]!, 'BAD_REQUEST', 'en');
  });
});

describe('what is unusual, but HTTP', () => {
  const list = { status: 200, text: expect.stringContaining('"task_list":[') as string };

  it.each([
    ['HTTP/1.0 without Host', `GET ${TASKS} HTTP/1.0\r\n\r\n`],
    ['an absolute address', `GET http://example.org${TASKS} HTTP/1.1\r\n${CLOSE}\r\n`],
    ['empty lines before it', `\r\n\r\nGET ${TASKS} HTTP/1.1\r\n${CLOSE}\r\n`],
    ['a trailing slash and capitals', `GET /Training/TASKS/ HTTP/1.1\r\n${CLOSE}\r\n`],
    [
      'an offer to upgrade',
      `GET ${TASKS} HTTP/1.1\r\nHost: x\r\nConnection: close, Upgrade\r\nUpgrade: h2c\r\n\r\n`,
    ],
    ['an expectation that nobody knows', `GET ${TASKS} HTTP/1.1\r\n${CLOSE}Expect: the-unexpected\r\n\r\n`],
    [
      'a method that says another one',
      `GET ${TASKS} HTTP/1.1\r\n${CLOSE}X-HTTP-Method-Override: DELETE\r\n\r\n`,
    ],
  ])('%s: is served', async (_, bytes) => {
    expect(await exchange(app.url, bytes)).toMatchObject([list]);
  });

  it('an id of the caller is kept, unless it is unfit for a log', async () => {
    const idOf = async (given: string) =>
      (await exchange(app.url, `GET ${TASKS} HTTP/1.1\r\n${CLOSE}X-Request-Id: ${given}\r\n\r\n`))[0]
        ?.headers['x-request-id'];
    expect(await idOf('gateway-17:3.a')).toBe('gateway-17:3.a');
    expect(await idOf('a b "c"')).toMatch(/^[0-9a-f-]{36}$/);
    expect(await idOf('x'.repeat(129))).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('a client that waits for 100 Continue gets it, and then its answer', async () => {
    const socket = await open(app.url);
    const body = '{"task_name": ""}';
    socket.write(
      `POST ${TASKS} HTTP/1.1\r\n${CLOSE}${JSON_TYPE}Expect: 100-continue\r\nContent-Length: ${String(body.length)}\r\n\r\n`,
    );
    expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 100 /);
    socket.write(body);
    expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 400 [^]*"code":40007/);
    socket.destroy();
  });

  it('requests sent at once are answered one by one, in their order, whatever is wrong with one of them', async () => {
    const get = (path: string, last = false) =>
      `GET ${path} HTTP/1.1\r\nHost: x\r\n${last ? 'Connection: close\r\n' : ''}\r\n`;
    const answers = await exchange(
      app.url,
      [
        get(TASKS),
        get(`${TASKS}/1`),
        get('/nothing'),
        get('/health/live'),
        get(`${TASKS}?limit=1`, true),
      ].join(''),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 400, 404, 200, 200]);
    expectFailure(answers[1]!, 'NOT_A_TASK_ID', 'zh', { member: 'task_id' });
    expect(new Set(answers.map(({ headers }) => headers['x-request-id'])).size).toBe(5);
  });

  it('garbage behind a request ends the connection with an answer', async () => {
    const answers = await exchange(app.url, `GET ${TASKS} HTTP/1.1\r\nHost: x\r\n\r\ngarbage\r\n\r\n`);
    expectFailure(answers.at(-1)!, 'BAD_REQUEST', 'zh');
  });
});

describe('a body that breaks off', () => {
  const cut = (request: string) =>
    `${request} HTTP/1.1\r\n${CLOSE}${JSON_TYPE}Content-Length: 1000\r\n\r\n{"images": [`;
  const requests = () => [
    `POST ${TASKS}/duplication`,
    `POST ${TASKS}`,
    `PUT ${TASKS}/${newTaskId()}/coco?task_type=1`,
  ];

  it('is told so where the client still listens', async () => {
    for (const request of requests()) {
      const answers = await exchangeAndEnd(app.url, cut(request));
      expect(answers).toHaveLength(1);
      expectFailure(answers[0]!, 'BAD_REQUEST', 'zh');
    }
  });

  it('leaves nothing behind where the client has gone', async () => {
    const before = await app.rowCounts();
    for (const request of requests()) {
      const socket = await open(app.url);
      socket.write(cut(request));
      await eventually('the client is connected', async () => (await connections()) === 1);
      socket.resetAndDestroy();
      await eventually('the client is gone', async () => (await connections()) === 0);
    }
    expect(await app.rowCounts()).toEqual(before);
  });

  it('does not stand in the way of the next upload', async () => {
    const task = newTaskId();
    await exchangeAndEnd(app.url, cut(`PUT ${TASKS}/${task}/coco?task_type=1`));
    expect((await app.api.importCoco(task, aDataSet())).status).toBe(200);
  });
});

describe('OPTIONS, which no browser sends to its own origin', () => {
  it.each([
    [TASKS, 'GET, POST'],
    ['/health/live', 'GET'],
  ])('%s names the methods', async (path, allowed) => {
    const answer = await sendPlain(app.url, { method: 'OPTIONS', path });
    expect(answer).toMatchObject({ status: 204, text: '', headers: { allow: allowed } });
    expect(answer.headers['x-request-id']).toBeDefined();
  });

  it.each([
    ['/nothing', 'ROUTE_NOT_FOUND'],
    ['*', 'ROUTE_NOT_FOUND'],
    [`${TASKS}/%zz`, 'BAD_REQUEST'],
  ] as const)('%s is refused like any other request', async (path, error) => {
    expectFailure(await sendPlain(app.url, { method: 'OPTIONS', path }), error, 'zh');
  });
});
