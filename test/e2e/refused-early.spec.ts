import { exchange } from '../support/raw-socket';
import { TestApp } from '../support/test-app';

/** Refusals that come before the body has: a client that sends all of it before it reads must still be able to. */

let app: TestApp;

beforeAll(async () => {
  app = await TestApp.start();
});
afterAll(() => app.stop());

const BODY = 'x'.repeat(8 * 2 ** 20);

it.each([
  ['a bad id', 'PUT /training/tasks/1/coco', '', 400],
  ['a bad query', `PUT /training/tasks/2018102439652891014/coco?x=1`, '', 400],
  ['a wrong type', 'POST /training/tasks', 'Content-Type: text/plain\r\n', 415],
  ['a body that is too large', 'POST /training/tasks', 'Content-Type: application/json\r\n', 413],
])('%s is told to who closes the connection afterwards', async (_, request, headers, status) => {
  const head = `${request} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${headers}Content-Length: ${String(BODY.length)}\r\n\r\n`;
  const answers = await exchange(app.url, head + BODY);
  expect(answers.map((answer) => answer.status)).toEqual([status]);
});
