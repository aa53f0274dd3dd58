import { newTaskId } from '../support/api';
import { TestApp } from '../support/test-app';

let app: TestApp;

beforeAll(async () => {
  app = await TestApp.start();
});
afterAll(() => app.stop());

it.each([
  ['zh-CN,en', '任务'],
  ['zh-TW;q=0.5, en;q=0.5', '任务'],
  ['en-US,zh;q=0.9', 'Task'],
  ['en,zh-CN;q=0.8', 'Task'],
  ['zh-CN,zh;q=0.9,en;q=0.8', '任务'],
  ['fr, en;q=0.5', 'Task'],
  ['fr', '任务'],
  ['*', '任务'],
  ['en;q=0', '任务'],
])('Accept-Language: %s is answered by %s', async (header, beginning) => {
  const { body } = await app.api.get(`/training/tasks/${newTaskId()}`, { 'Accept-Language': header });
  expect(body['msg']).toMatch(new RegExp(`^${beginning}`));
});
