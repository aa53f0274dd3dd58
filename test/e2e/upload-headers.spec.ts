import { newTaskId } from '../support/api';
import { aDataSet } from '../support/data-set';
import { expectFailure } from '../support/failure';
import { sendPlain } from '../support/plain-request';
import { TestApp } from '../support/test-app';

let app: TestApp;

beforeAll(async () => {
  app = await TestApp.start();
});
afterAll(() => app.stop());

const pathOfNew = () => `/training/tasks/${newTaskId()}/coco?task_type=1`;

it.each([
  [{ 'content-type': 'application/json; charset=UTF-8' }],
  [{ 'content-type': 'Application/JSON;charset="utf-8"' }],
  [{ 'content-encoding': 'Identity' }],
])('a file with %j is taken', async (headers) => {
  const body = JSON.stringify(aDataSet());
  expect(await sendPlain(app.url, { method: 'PUT', path: pathOfNew(), headers, body })).toMatchObject({
    status: 200,
  });
});

it.each([
  [{ 'content-type': 'application/json; charset=gbk' }],
  [{ 'content-type': 'application/json; charset=utf-16' }],
  [{ 'content-encoding': 'gzip' }],
])('a file with %j is refused: it would be read as something else', async (headers) => {
  const body = JSON.stringify(aDataSet());
  const answer = await sendPlain(app.url, { method: 'PUT', path: pathOfNew(), headers, body });
  expectFailure(answer, 'UNSUPPORTED_ENCODING', 'zh');
});

it('no file at all is no JSON, whatever type it says', async () => {
  const headers = { 'content-type': 'application/json' };
  const answer = await sendPlain(app.url, { method: 'PUT', path: pathOfNew(), headers });
  expectFailure(answer, 'MALFORMED_FILE', 'zh', { line: 1, column: 1, offset: 0 });
});

it('unknown members beyond what can be sent out again are refused', async () => {
  const dataSet = aDataSet();
  dataSet.images[1]!['thumbnail'] = 'x'.repeat(2 ** 20);
  const answer = await app.api.importCoco(newTaskId(), dataSet);
  expect(answer).toMatchObject({ status: 422, body: { code: 42202 } });
  expect(answer.body['msg']).toContain('images[1] (id 2)');
});
