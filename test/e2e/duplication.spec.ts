import { SAMPLE_COPY_ID, SAMPLE_TASK_ID, sampleDataSet } from '../../src/sample/sample-data-set';
import { newTaskId, type Answer, type Api } from '../support/api';
import { aDataSet } from '../support/data-set';
import { eventually } from '../support/eventually';
import { inOtherSession } from '../support/other-session';
import { TestApp } from '../support/test-app';

let app: TestApp;
let api: Api;

beforeAll(async () => {
  app = await TestApp.start();
  api = app.api;
});
afterAll(() => app.stop());

/** A task with content, of type 1. */
async function aTask(dataSet: unknown = aDataSet(), query?: string): Promise<string> {
  const id = newTaskId();
  expect(await api.importCoco(id, dataSet, query)).toMatchObject({ status: 200 });
  return id;
}

/** A task without image and class; without a type where none is given. */
async function anEmptyTask(fields: object = {}): Promise<string> {
  const id = newTaskId();
  expect(await api.post('/training/tasks', { task_id: id, task_name: 'empty', ...fields })).toMatchObject({
    status: 201,
  });
  return id;
}

async function stateOf(task: string): Promise<unknown> {
  return (await api.get(`/training/tasks/${task}/duplication`)).body['state'];
}

function expectFailure(answer: Answer, status: number, code: number): void {
  expect({ status: answer.status, ...answer.body }).toEqual({
    status,
    code,
    msg: expect.any(String) as string,
  });
}

describe('the request of the specification', () => {
  let answer: Answer;

  beforeAll(async () => {
    await api.importCoco(SAMPLE_TASK_ID, sampleDataSet(), 'task_type=1');
    answer = await api.duplicate('2018102439652891014', '2018102439652891056');
  });

  it('is answered to the letter', () => {
    expect(answer.status).toBe(200);
    expect(answer.headers.get('Content-Type')).toBe('application/json; charset=utf-8');
    expect(answer.headers.get('X-Request-Id')).toMatch(/^[\w-]{36}$/);
    expect(Object.keys(answer.body)).toEqual(['code', 'msg', 'task_type', 'image_list', 'lab_class_list']);
    expect(answer.body).toMatchObject({ code: 0, msg: '复制任务成功', task_type: 1 });
    const [image] = answer.body['image_list'] as object[];
    const [labelClass] = answer.body['lab_class_list'] as object[];
    expect(Object.keys(image!)).toEqual([
      'set_type',
      'img_name',
      'img_id',
      'width',
      'height',
      'state',
      'order_id',
      'mongo_id',
    ]);
    expect(Object.keys(labelClass!)).toEqual(['id', 'name', 'color', 'order_id']);
    expect(image).toEqual({
      set_type: 0,
      img_name: 'sample-001.jpg',
      img_id: expect.stringMatching(/^[1-9]\d{18}$/) as string,
      width: 2000,
      height: 1000,
      state: '已标注',
      order_id: 1,
      mongo_id: expect.stringMatching(/^[0-9a-f]{5}\d{19}$/) as string,
    });
    expect(labelClass).toEqual({
      id: expect.any(Number) as number,
      name: '划痕',
      color: '#e6194b',
      order_id: 1,
    });
  });

  it('has all images and classes, in order and without gaps, with all kinds of state and set', () => {
    const images = answer.body['image_list'] as {
      order_id: number;
      state: string | null;
      mongo_id: string | null;
    }[];
    const classes = answer.body['lab_class_list'] as { order_id: number }[];
    expect(images.map(({ order_id }) => order_id)).toEqual(images.map((_, at) => at + 1));
    expect(classes.map(({ order_id }) => order_id)).toEqual([1, 2, 3, 4]);
    expect(images).toHaveLength(36);
    expect(new Set(images.map(({ state }) => state))).toEqual(new Set(['已标注', '已训练', '已测试', null]));
    expect(images.every(({ state, mongo_id }) => (state === null) === (mongo_id === null))).toBe(true);
  });

  it('is answered again without copying', async () => {
    const before = await app.rowCounts();
    const again = await api.duplicate(SAMPLE_TASK_ID, SAMPLE_COPY_ID);
    expect(again.text).toBe(answer.text);
    expect(again.headers.get('Idempotency-Replayed')).toBe('true');
    expect(answer.headers.get('Idempotency-Replayed')).toBeNull();
    expect(await app.rowCounts()).toEqual(before);
  });

  it('says the same in every language', async () => {
    const body = { task_id_old: SAMPLE_TASK_ID, task_id: SAMPLE_COPY_ID };
    const english = await api.post('/training/tasks/duplication', body, { 'Accept-Language': 'en' });
    expect(english.text).toBe(answer.text);
  });
});

describe('the target', () => {
  it('is created where it is absent: the source’s type, the source’s name', async () => {
    const source = await aTask(aDataSet(), 'task_type=3&task_name=original');
    const target = newTaskId();
    expect((await api.duplicate(source, target)).body).toMatchObject({ task_type: 3 });
    const { body } = await api.get(`/training/tasks/${target}`);
    expect(body).toMatchObject({ task_name: 'original', task_type: 3, image_count: 3, task_id_old: source });
  });

  it('keeps its own name, and takes the source’s type where it has none', async () => {
    const source = await aTask(aDataSet(), 'task_type=2');
    const target = await anEmptyTask({ task_name: 'mine' });
    expect((await api.duplicate(source, target)).body).toMatchObject({ task_type: 2 });
    expect((await api.get(`/training/tasks/${target}`)).body).toMatchObject({
      task_name: 'mine',
      task_type: 2,
    });
  });

  it('of another type is refused, and left as it is', async () => {
    const source = await aTask(aDataSet(), 'task_type=2');
    const target = await anEmptyTask({ task_type: 3 });
    const before = await app.rowCounts();
    expectFailure(await api.duplicate(source, target), 409, 40902);
    expect(await app.rowCounts()).toEqual(before);
  });

  it('keeps its own type where the source has none; null only where neither has one', async () => {
    const source = await anEmptyTask();
    expect((await api.duplicate(source, await anEmptyTask({ task_type: 3 }))).body['task_type']).toBe(3);
    expect((await api.duplicate(source, newTaskId())).body['task_type']).toBeNull();
  });

  it.each([
    ['an image', { images: aDataSet().images }],
    ['a label class', { images: [], categories: aDataSet().categories }],
  ])('that holds %s is refused, and left as it is', async (_, content) => {
    const [source, target] = [await aTask(), await aTask(content)];
    const before = await app.rowCounts();
    expectFailure(await api.duplicate(source, target), 409, 40901);
    expect(await app.rowCounts()).toEqual(before);
    expectFailure(await api.get(`/training/tasks/${target}/duplication`), 404, 40404);
  });

  it('that is a copy of another task is refused, even of an empty one', async () => {
    const [source, empty, target] = [await aTask(), await anEmptyTask(), newTaskId()];
    await api.duplicate(empty, target);
    expectFailure(await api.duplicate(source, target), 409, 40903);
  });
});

describe('the source', () => {
  it('that is missing is a 404 of its own code, and leaves no trace', async () => {
    const target = newTaskId();
    const before = await app.rowCounts();
    expectFailure(await api.duplicate(newTaskId(), target), 404, 40401);
    expect(await app.rowCounts()).toEqual(before);
    expectFailure(await api.get(`/training/tasks/${target}/duplication`), 404, 40402);
  });

  it('must be another task than the target', async () => {
    const task = await aTask();
    expectFailure(await api.duplicate(task, task), 400, 40002);
  });

  it('may be gone when the same request comes again', async () => {
    const [source, target] = [await aTask(), newTaskId()];
    const first = await api.duplicate(source, target);
    for (const table of ['labeled_image', 'roi_image', 'image', 'label_class', 'task']) {
      await app.dataSource.query(`DELETE FROM ${table} WHERE task_id = $1`, [source]);
    }
    const again = await api.duplicate(source, target);
    expect(again.text).toBe(first.text);
    expect(again.headers.get('Idempotency-Replayed')).toBe('true');
  });

  it('has its gaps closed in the copy, in the same order', async () => {
    const images = aDataSet().images.map((image, at) => ({ ...image, order_id: [30, 10, 20][at] }));
    const source = await aTask({ ...aDataSet(), images });
    const { body } = await api.duplicate(source, newTaskId());
    const copied = body['image_list'] as { img_name: string; order_id: number }[];
    expect(copied.map(({ img_name, order_id }) => [img_name, order_id])).toEqual([
      ['image-2.jpg', 1],
      ['image-3.jpg', 2],
      ['image-1.jpg', 3],
    ]);
  });

  it('may be a copy itself', async () => {
    const [source, copy, copyOfCopy] = [await aTask(), newTaskId(), newTaskId()];
    await api.duplicate(source, copy);
    const { body } = await api.duplicate(copy, copyOfCopy);
    expect(body['image_list']).toHaveLength(3);
    expect((await api.get(`/training/tasks/${copyOfCopy}`)).body['task_id_old']).toBe(copy);
  });
});

describe('requests at the same time', () => {
  it('for the same pair: one copies, all answer the same', async () => {
    const [source, target] = [await aTask(aDataSet({ images: 200 })), newTaskId()];
    const answers = await Promise.all(Array.from({ length: 25 }, () => api.duplicate(source, target)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers.filter(({ headers }) => !headers.has('Idempotency-Replayed'))).toHaveLength(1);
    expect((await api.get(`/training/tasks/${target}`)).body['image_count']).toBe(200);
  });

  it('from several sources into one target: one wins, the others are refused', async () => {
    const sources = await Promise.all(Array.from({ length: 6 }, () => aTask()));
    const target = newTaskId();
    const answers = await Promise.all(sources.map((source) => api.duplicate(source, target)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409, 409]);
    expect(answers.flatMap(({ body }) => body['code'] || []).every((code) => code === 40903)).toBe(true);
  });

  it('from one source into many targets all copy', async () => {
    const source = await aTask();
    const answers = await Promise.all(Array.from({ length: 12 }, () => api.duplicate(source, newTaskId())));
    expect(answers.map(({ status }) => status)).toEqual(Array(12).fill(200));
  });

  it('crosswise, of two tasks into each other, end', async () => {
    const [one, other] = [await anEmptyTask(), await anEmptyTask()];
    const answers = await Promise.all([api.duplicate(one, other), api.duplicate(other, one)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  });

  it('wait 10 s for a task that is being written, and then say busy', async () => {
    const [source, busy] = [await aTask(), newTaskId()];
    await inOtherSession(app, async (session) => {
      await session.query('SELECT pg_advisory_lock($1)', [busy]);
      const startedAt = Date.now();
      const timed = async (request: Promise<Answer>): Promise<[Answer, number]> => [
        await request,
        Date.now() - startedAt,
      ];
      const answers = await Promise.all([
        timed(api.duplicate(source, busy)),
        timed(api.duplicate(busy, newTaskId())),
        timed(api.post('/training/tasks', { task_id: busy, task_name: 'x' })),
        timed(api.importCoco(busy, aDataSet())),
      ]);
      for (const [answer, ms] of answers) {
        expectFailure(answer, 409, 40904);
        expect(answer.headers.get('Retry-After')).toMatch(/^[1-9]\d*$/);
        expect(ms).toBeGreaterThanOrEqual(10_000);
      }
    });
    expect((await api.duplicate(source, busy)).status).toBe(200);
  });

  it('go on when a task is free again', async () => {
    const [source, target] = [await aTask(), newTaskId()];
    const copying = await inOtherSession(app, async (session) => {
      await session.query('SELECT pg_advisory_lock($1)', [source]);
      return { answer: api.duplicate(source, target) };
    });
    expect((await copying.answer).status).toBe(200);
  });
});

describe('a copy that takes its time', () => {
  /** Runs `work` while a copy from a new task is under way and can't go on: somebody has locked a table. */
  async function whileCopying(
    work: (copy: {
      source: string;
      target: string;
      answer: Promise<Answer>;
      abort: () => void;
    }) => Promise<void>,
  ): Promise<{ source: string; target: string; answer: Promise<Answer> }> {
    const [source, target] = [await aTask(), newTaskId()];
    return inOtherSession(app, async (session) => {
      await session.query('BEGIN');
      await session.query('LOCK TABLE roi_image IN EXCLUSIVE MODE');
      const controller = new AbortController();
      const answer = api.send('POST', '/training/tasks/duplication', {
        body: JSON.stringify({ task_id_old: source, task_id: target }),
        headers: { 'Content-Type': 'application/json' },
        signal: controller.signal,
      });
      answer.catch(() => undefined); // aborted on purpose
      await eventually('the copy runs', async () => (await stateOf(target)) === 'running');
      await work({ source, target, answer, abort: () => controller.abort() });
      return { source, target, answer };
    });
  }

  it('is seen as running, with the planned counts, while its target does not exist', async () => {
    const { target, answer } = await whileCopying(async ({ source, target }) => {
      const { body } = await api.get(`/training/tasks/${target}/duplication`);
      expect(body).toEqual({
        code: 0,
        msg: '成功',
        task_id_old: source,
        task_id: target,
        state: 'running',
        started_at: expect.stringMatching(/^\d{4}-.*Z$/) as string,
        finished_at: null,
        image_count: 3,
        roi_count: 0,
        label_class_count: 2,
        document_count: 3,
      });
      expect((await api.get(`/training/tasks/${target}`)).status).toBe(404);
      expectFailure(await api.get(`/training/tasks/${target}/duplication/maps`), 404, 40404);
    });
    expect((await answer).status).toBe(200);
    expect(await stateOf(target)).toBe('done');
  });

  it('goes on when the client goes away; the same request then answers it', async () => {
    const { source, target } = await whileCopying(async ({ answer, abort }) => {
      abort();
      await expect(answer).rejects.toThrow();
    });
    await eventually('the copy is done', async () => (await stateOf(target)) === 'done');
    const again = await api.duplicate(source, target);
    expect(again).toMatchObject({ status: 200 });
    expect(again.headers.get('Idempotency-Replayed')).toBe('true');
  });

  it('leaves the target as it was when its database session dies, and is repeated whole', async () => {
    const { source, target } = await whileCopying(async ({ target, answer }) => {
      await app.dataSource.query(
        `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid::bigint = $1::bigint & 4294967295`,
        [target],
      );
      const failed = await answer;
      expectFailure(failed, 503, 50301);
      expect(failed.headers.get('Retry-After')).toMatch(/^[1-9]\d*$/);
      expect((await api.get(`/training/tasks/${target}`)).status).toBe(404);
      expect(await stateOf(target)).toBe('failed');
    });
    const retried = await api.duplicate(source, target);
    expect(retried).toMatchObject({ status: 200 });
    expect(retried.headers.get('Idempotency-Replayed')).toBeNull();
    expect(await stateOf(target)).toBe('done');
  });

  it('that fails half-way leaves nothing, says no more than it should, and can be repeated', async () => {
    const [source, target] = [await aTask(), await anEmptyTask()];
    const before = await app.rowCounts();
    await app.dataSource.query(
      `ALTER TABLE labeled_image ADD CONSTRAINT broken CHECK (task_id <> ${target})`,
    );
    const failed = await api.duplicate(source, target);
    await app.dataSource.query('ALTER TABLE labeled_image DROP CONSTRAINT broken');
    expectFailure(failed, 500, 50001);
    expect(failed.text).not.toMatch(/broken|labeled_image/);
    expect(await app.rowCounts()).toEqual({ ...before, task_duplication: before['task_duplication']! + 1 });
    expect(await stateOf(target)).toBe('failed');
    expect((await api.duplicate(source, target)).status).toBe(200);
  });
});
