import { LabeledImageRepository } from '../../src/labeled-images/labeled-image.repository';
import { Sweeper } from '../../src/tasks/sweeper';
import { newTaskId, type Answer, type Api } from '../support/api';
import { aDataSet } from '../support/data-set';
import { describeInEachMode } from '../support/document-mode';
import { garbageOf } from '../support/garbage';
import { whileCopied } from '../support/held-copy';
import { contentOf } from '../support/task-content';
import { TestApp } from '../support/test-app';

const OWN = {
  ...aDataSet(),
  images: aDataSet().images.map((image, at) => ({ ...image, ...(at === 1 && { roi: [0, 0, 5, 5] }) })),
};

describeInEachMode('deleting a task', (documents) => {
  let app: TestApp;
  let api: Api;

  beforeAll(async () => {
    app = await TestApp.start({ SWEEP_KEEP_S: '0' }, { documents });
    api = app.api;
  });
  afterAll(() => app.stop());

  const remove = (task: string, headers?: Record<string, string>) =>
    api.delete(`/training/tasks/${task}`, headers);

  async function aTask(dataSet: object = OWN): Promise<string> {
    const id = newTaskId();
    expect(await api.importCoco(id, dataSet)).toMatchObject({ status: 200 });
    return id;
  }

  async function aCopy(source: string): Promise<string> {
    const id = newTaskId();
    expect(await api.duplicate(source, id)).toMatchObject({ status: 200 });
    return id;
  }

  function expectFailure(answer: Answer, status: number, code: number): void {
    expect(answer).toMatchObject({ status, body: { code } });
  }

  function find(task: string, mongoId: string): Promise<unknown> {
    return app.app.get(LabeledImageRepository).find(app.dataSource.manager, task, mongoId);
  }

  it('takes all it owns, and says so', async () => {
    const before = await app.rowCounts();
    const id = await aTask();
    const answer = await remove(id);
    expect({ status: answer.status, text: answer.text }).toEqual({
      status: 200,
      text: '{"code":0,"msg":"成功"}',
    });
    expect(await app.rowCounts()).toEqual(before);
    for (const what of ['', '/images', '/label-classes', '/coco', '/duplication']) {
      expectFailure(await api.get(`/training/tasks/${id}${what}`), 404, 40402);
    }
    expect((await api.get(`/training/tasks?search=${id}`)).body['task_list']).toEqual([]);
  });

  it('says so in English', async () => {
    const { text } = await remove(await aTask(), { 'Accept-Language': 'en' });
    expect(text).toBe('{"code":0,"msg":"OK"}');
  });

  it('records its documents, from the first to the last, which are then swept', async () => {
    const [id, other] = [await aTask(), await aTask()];
    const ids = (await contentOf(api, id)).images.map(({ mongo_id }) => String(mongo_id));
    await remove(id);
    expect(await garbageOf(app, id)).toEqual([
      { reason: 'deleted', firstId: ids[0], lastId: ids.at(-1), failed: false },
    ]);
    await app.app.get(Sweeper).sweep();
    expect(await garbageOf(app, id)).toEqual([]);
    for (const mongoId of ids) expect(await find(id, mongoId)).toBeNull();
    expect((await contentOf(api, other)).annotations.flat()).toHaveLength(6);
  });

  it('takes the latest document of an image that was edited', async () => {
    const id = await aTask();
    const { img_id, mongo_id: first } = (await contentOf(api, id)).images[0]!;
    const path = `/training/tasks/${id}/images/${img_id}/annotations`;
    const { mongo_id: last } = (await api.put(path, { annotations: [] })).body;
    await remove(id);
    expect((await garbageOf(app, id)).map(({ reason, lastId }) => [reason, lastId])).toEqual([
      ['replaced', first],
      ['deleted', last],
    ]);
    await app.app.get(Sweeper).sweep();
    expect(await find(id, String(last))).toBeNull();
  });

  it('of one without documents leaves no record', async () => {
    const [empty, unseen] = [newTaskId(), await aTask({ ...OWN, annotations: [] })];
    await api.post('/training/tasks', { task_id: empty, task_name: 'empty' });
    for (const id of [empty, unseen]) {
      expect((await remove(id)).status).toBe(200);
      expect(await garbageOf(app, id)).toEqual([]);
      expectFailure(await api.get(`/training/tasks/${id}`), 404, 40402);
    }
  });

  it('that is not there is a 404, as is one that was deleted before', async () => {
    expectFailure(await remove(newTaskId()), 404, 40402);
    const id = await aTask();
    await remove(id);
    expectFailure(await remove(id), 404, 40402);
    expectFailure(await remove('1'), 400, 40005);
  });

  it('twice at once is done once', async () => {
    const id = await aTask();
    const answers = await Promise.all(Array.from({ length: 8 }, () => remove(id)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(7).fill(404)]);
    expect(await garbageOf(app, id)).toHaveLength(1);
  });

  it('leaves its copies as they are', async () => {
    const id = await aTask();
    const copy = await aCopy(id);
    const before = await contentOf(api, copy);
    await remove(id);
    await app.app.get(Sweeper).sweep();
    expect((await contentOf(api, copy)).texts).toEqual(before.texts);
    const again = await api.duplicate(id, copy);
    expect({ status: again.status, replayed: again.headers.get('Idempotency-Replayed') }).toEqual({
      status: 200,
      replayed: 'true',
    });
    expectFailure(await api.duplicate(id, newTaskId()), 404, 40401);
    const maps = (await api.get(`/training/tasks/${copy}/duplication/maps`)).body['old_new_img_info_map'];
    for (const image of Object.values(maps as object))
      expect(image).toMatchObject({ labeled_img_id_old: null });
  });

  it('of a copy leaves the source as it is', async () => {
    const id = await aTask();
    const before = await contentOf(api, id);
    await remove(await aCopy(id));
    await app.app.get(Sweeper).sweep();
    expect((await contentOf(api, id)).texts).toEqual(before.texts);
  });

  it('goes through while it is copied, and the copy is whole', async () => {
    const id = await aTask();
    const before = await contentOf(api, id);
    const { target, answer } = await whileCopied(app, id, async () => {
      expect((await remove(id)).status).toBe(200);
      // Nor does the sweeper take from the copy what it still has to read.
      await app.app.get(Sweeper).sweep();
    });
    expect(answer.status).toBe(200);
    expectFailure(await api.get(`/training/tasks/${id}`), 404, 40402);
    const copy = await contentOf(api, target);
    expect(copy.images).toHaveLength(before.images.length);
    expect(copy.annotations.map((list) => list.map(({ bbox }) => bbox))).toEqual(
      before.annotations.map((list) => list.map(({ bbox }) => bbox)),
    );
  });

  describe('frees its id', () => {
    it('for a copy of another task, whose documents stay when the old ones are swept', async () => {
      const [one, other] = [await aTask(), await aTask(aDataSet({ images: 2, classes: 1 }))];
      const id = await aCopy(one);
      expectFailure(await api.duplicate(other, id), 409, 40903);
      await remove(id);
      expectFailure(await api.get(`/training/tasks/${id}/duplication`), 404, 40402);
      const answer = await api.duplicate(other, id);
      expect({ status: answer.status, replayed: answer.headers.get('Idempotency-Replayed') }).toEqual({
        status: 200,
        replayed: null,
      });
      const before = await contentOf(api, id);
      await app.app.get(Sweeper).sweep();
      expect((await contentOf(api, id)).texts).toEqual(before.texts);
      expect((await api.get(`/training/tasks/${id}`)).body['task_id_old']).toBe(other);
    });

    it('for the same copy, for an import and for a new task', async () => {
      const source = await aTask();
      const id = await aCopy(source);
      await remove(id);
      expect((await api.duplicate(source, id)).headers.get('Idempotency-Replayed')).toBeNull();
      await remove(id);
      expect((await api.importCoco(id, OWN)).status).toBe(200);
      await remove(id);
      const { status, body } = await api.post('/training/tasks', { task_id: id, task_name: 'new' });
      expect({ status, ...body }).toMatchObject({ status: 201, image_count: 0, task_id_old: null });
    });
  });

  it('keeps apart documents that were there before the service, wherever their ids lie', async () => {
    const id = await aTask();
    const { images } = await contentOf(api, id);
    const [first, middle, last] = images.map(({ mongo_id }) => String(mongo_id));
    const legacy = ['000000000000000000000001', 'ffffffffffffffffffffffff'];
    for (const [at, old] of [first, last].entries()) {
      await app.dataSource.query(`UPDATE image SET mongo_id = $2 WHERE mongo_id = $1`, [old, legacy[at]]);
      await app.dataSource.query(`UPDATE labeled_image SET id = $2 WHERE id = $1`, [old, legacy[at]]);
    }
    await remove(id);
    const ranges = (await garbageOf(app, id)).map(({ firstId, lastId }) => [firstId, lastId]);
    expect(ranges.sort()).toEqual([legacy[0], middle, legacy[1]].map((one) => [one, one]).sort());
  });

  describe('with an attempt to copy into it that has failed', () => {
    async function failedInto(target: string): Promise<string> {
      const source = await aTask();
      await app.dataSource.query(
        `ALTER TABLE image ADD CONSTRAINT broken CHECK (task_id <> ${target}) NOT VALID`,
      );
      expectFailure(await api.duplicate(source, target), 500, 50001);
      await app.dataSource.query(`ALTER TABLE image DROP CONSTRAINT broken`);
      return source;
    }

    const stateOf = (task: string) => api.get(`/training/tasks/${task}/duplication`);

    it('is a 404 where the task itself is not there, and the record stays', async () => {
      const target = newTaskId();
      await failedInto(target);
      expectFailure(await remove(target), 404, 40402);
      expect((await stateOf(target)).body).toMatchObject({ state: 'failed' });
    });

    it('takes the record as well', async () => {
      const target = newTaskId();
      await api.post('/training/tasks', { task_id: target, task_name: 'empty' });
      await failedInto(target);
      expect((await stateOf(target)).body).toMatchObject({ state: 'failed' });
      expect((await remove(target)).status).toBe(200);
      expectFailure(await stateOf(target), 404, 40402);
    });
  });

  it('that fails half-way leaves all of it, and can be repeated', async () => {
    const id = await aCopy(await aTask());
    const before = await contentOf(api, id);
    // The task goes last: a row of its own keeps it.
    await app.dataSource.query(`CREATE TABLE keeper (task_id bigint REFERENCES task)`);
    await app.dataSource.query(`INSERT INTO keeper VALUES ($1)`, [id]);
    expectFailure(await remove(id), 500, 50001);
    expect((await contentOf(api, id)).texts).toEqual(before.texts);
    expect(await garbageOf(app, id)).toEqual([]);
    await app.dataSource.query(`DROP TABLE keeper`);
    expect((await remove(id)).status).toBe(200);
  });
});
