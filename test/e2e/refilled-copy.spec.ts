import { newTaskId } from '../support/api';
import { aDataSet } from '../support/data-set';
import { TestApp } from '../support/test-app';

let app: TestApp;

beforeAll(async () => {
  app = await TestApp.start();
});
afterAll(() => app.stop());

it('a copy of an empty task that is filled afterwards has no relations', async () => {
  const [source, target] = [newTaskId(), newTaskId()];
  await app.api.post('/training/tasks', { task_id: source, task_name: 'empty' });
  await app.api.duplicate(source, target);
  const dataSet = aDataSet();
  dataSet.images[0]!['roi'] = [0, 0, 10, 10];
  expect((await app.api.importCoco(target, dataSet)).status).toBe(200);
  for (const query of ['', '?limit=2']) {
    const { body } = await app.api.get(`/training/tasks/${target}/duplication/maps${query}`);
    expect(body).toMatchObject({
      old_new_lab_class_map: {},
      old_new_img_info_map: {},
      roi_id_old_img_id_old: {},
      next_cursor: null,
    });
  }
});
