import { newTaskId, type Api } from '../support/api';
import { aDataSet } from '../support/data-set';
import { TestApp } from '../support/test-app';

import { SAMPLE_TASK_ID, sampleDataSet } from '../../src/sample/sample-data-set';

let app: TestApp;
let api: Api;

beforeAll(async () => {
  app = await TestApp.start();
  api = app.api;
});
afterAll(() => app.stop());

/** A task with content. */
async function aTask(dataSet: unknown = aDataSet(), query?: string): Promise<string> {
  const id = newTaskId();
  const { status, text } = await api.importCoco(id, dataSet, query);
  if (status !== 200) throw new Error(text);
  return id;
}

describe('the request of the specification', () => {
  it('copies the sample task and answers to the letter', async () => {
    await api.importCoco(SAMPLE_TASK_ID, sampleDataSet());
    const answer = await api.post('/training/tasks/duplication', {
      task_id_old: '2018102439652891014',
      task_id: '2018102439652891056',
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('Content-Type')).toBe('application/json; charset=utf-8');
    expect(answer.headers.get('X-Request-Id')).toMatch(/^[\w-]{36}$/);
    expect(answer.headers.get('Idempotency-Replayed')).toBeNull();
  });
});
