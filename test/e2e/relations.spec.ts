import { newTaskId, type Answer } from '../support/api';
import { aDataSet } from '../support/data-set';
import type { NewImageInfo, Relations } from '../support/relations';
import { contentOf } from '../support/task-content';
import { TestApp } from '../support/test-app';

const ID = /^[1-9]\d{18}$/;
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;

let app: TestApp;

beforeAll(async () => {
  app = await TestApp.start();
});
afterAll(() => app.stop());

/** Images of every kind: with a ROI and a document, with one of them, with none; in the order 3, 2, 1, 4, 5. */
const MIXED = {
  images: [
    { id: 1, file_name: 'both', width: 10, height: 10, order_id: 30, roi: [0, 0, 1, 1] },
    { id: 2, file_name: 'roi', width: 10, height: 10, order_id: 20, roi: [1, 1, 1, 1] },
    { id: 3, file_name: 'document', width: 10, height: 10, order_id: 10 },
    { id: 4, file_name: 'none', width: 10, height: 10, order_id: 40 },
    { id: 5, file_name: 'both again', width: 10, height: 10, order_id: 50, roi: [2, 2, 1, 1] },
  ],
  categories: [
    { id: 1, name: 'a' },
    { id: 2, name: 'b' },
    { id: 3, name: 'unused' },
  ],
  annotations: [
    { image_id: 1, category_id: 2 },
    { image_id: 3, category_id: 1 },
    { image_id: 5, category_id: 1 },
  ],
};

async function aTask(dataSet: object = MIXED): Promise<string> {
  const id = newTaskId();
  const { status, text } = await app.api.importCoco(id, dataSet);
  if (status !== 200) throw new Error(text);
  return id;
}

async function copyOf(source: string): Promise<string> {
  const target = newTaskId();
  const { status, text } = await app.api.duplicate(source, target);
  if (status !== 200) throw new Error(text);
  return target;
}

const askStatus = (task: string) => app.api.get(`/training/tasks/${task}/duplication`);
const askMaps = (task: string, query = '') => app.api.get(`/training/tasks/${task}/duplication/maps${query}`);

async function mapsOf(task: string, query?: string): Promise<Relations> {
  const { status, text, body } = await askMaps(task, query);
  if (status !== 200) throw new Error(text);
  return body as unknown as Relations;
}

/** All pages of this size, one after the other. */
async function pagesOf(task: string, limit: number): Promise<Relations[]> {
  const pages = [await mapsOf(task, `?limit=${String(limit)}`)];
  for (let cursor = pages[0]!.next_cursor; cursor !== null; cursor = pages.at(-1)!.next_cursor) {
    pages.push(await mapsOf(task, `?limit=${String(limit)}&cursor=${cursor}`));
    if (pages.length > 10) throw new Error('the pages do not end');
  }
  return pages;
}

function expectFailure({ status, body }: Answer, expectedStatus: number, code: number): void {
  expect({ status, ...body }).toEqual({
    status: expectedStatus,
    code,
    msg: expect.any(String) as string,
  });
}

/** As it is in the database once a deletion of the task has committed. */
async function remove(task: string): Promise<void> {
  for (const table of ['labeled_image', 'roi_image', 'image', 'label_class', 'task']) {
    await app.dataSource.query(`DELETE FROM ${table} WHERE task_id = $1`, [task]);
  }
}

/** What the record says while an attempt runs, and goes on saying when its process dies. */
async function leaveRunning(target: string): Promise<void> {
  await app.dataSource.query(
    `UPDATE task_duplication SET state = 'running', finished_at = NULL WHERE task_id = $1`,
    [target],
  );
}

describe('the status of a duplication', () => {
  it('has exactly the members of the contract, in their order, and counts what was copied', async () => {
    const source = await aTask();
    const target = await copyOf(source);
    const { status, text, body } = await askStatus(target);
    expect(status).toBe(200);
    expect(body).toEqual({
      code: 0,
      msg: '成功',
      task_id_old: source,
      task_id: target,
      state: 'done',
      started_at: TIME,
      finished_at: TIME,
      image_count: 5,
      roi_count: 3,
      label_class_count: 3,
      document_count: 3,
    });
    expect(text).toMatch(
      /^\{"code":.+"msg":.+"task_id_old":.+"task_id":.+"state":.+"started_at":.+"finished_at":.+"image_count":.+"roi_count":.+"label_class_count":.+"document_count":\d+\}$/,
    );
    expect(body['started_at']! <= body['finished_at']!).toBe(true);
  });

  it('says failed of an attempt that nobody works on any more, and done once it is repeated', async () => {
    const source = await aTask();
    const target = await copyOf(source);
    await remove(target);
    await leaveRunning(target);
    expect((await askStatus(target)).body).toMatchObject({ state: 'failed', finished_at: null });
    expectFailure(await askMaps(target), 404, 40404);

    const repeated = await app.api.duplicate(source, target);
    expect(repeated.status).toBe(200);
    expect(repeated.headers.get('Idempotency-Replayed')).toBeNull();
    expect((await askStatus(target)).body).toMatchObject({ state: 'done', finished_at: TIME });
  });

  it('says running while somebody holds the lock of the target', async () => {
    const target = await copyOf(await aTask());
    await leaveRunning(target);
    const connection = app.dataSource.createQueryRunner();
    try {
      await connection.query('SELECT pg_advisory_lock($1::bigint)', [target]);
      expect((await askStatus(target)).body).toMatchObject({ state: 'running', finished_at: null });
      await connection.query('SELECT pg_advisory_unlock($1::bigint)', [target]);
    } finally {
      await connection.release();
    }
    expect((await askStatus(target)).body).toMatchObject({ state: 'failed' });
  });

  it('goes on being told when the source is gone', async () => {
    const source = await aTask();
    const target = await copyOf(source);
    const before = await askStatus(target);
    await remove(source);
    expect((await askStatus(target)).text).toBe(before.text);
  });
});

describe('a task that is no copy', () => {
  it.each([
    ['status', askStatus],
    ['maps', askMaps],
  ])('has no %s', async (_, ask) => {
    expectFailure(await ask(await aTask()), 404, 40404);
    expectFailure(await ask(newTaskId()), 404, 40402);
  });

  it('is also the source of one', async () => {
    const source = await aTask();
    await copyOf(source);
    expectFailure(await askMaps(source), 404, 40404);
  });
});

describe('the maps of a duplication', () => {
  it('have exactly the members of the contract, in their order', async () => {
    const source = await aTask();
    const target = await copyOf(source);
    const [from, to] = [await contentOf(app.api, source), await contentOf(app.api, target)];
    const { status, text, headers } = await askMaps(target);
    expect(status).toBe(200);
    expect(headers.get('Content-Type')).toBe('application/json; charset=utf-8');
    // The names of the maps' members are ids, in the order of the images; written out, nothing can be added or moved.
    const member = (id: string, value: unknown) => `"${id}":${JSON.stringify(value)}`;
    const classMap = from.classes.map(({ id }, at) =>
      member(String(id), { lab_class_id_new: to.classes[at]!.id }),
    );
    const imageMap = from.images.map((image, at) => {
      const copied = to.images[at]!;
      return member(image.img_id, {
        img_id_new: copied.img_id,
        img_roi_id_old: image.img_roi_id,
        img_roi_id_new: copied.img_roi_id,
        labeled_img_id_old: image.mongo_id,
        labeled_img_id_new: copied.mongo_id,
      });
    });
    const roiMap = from.images
      .filter(({ img_roi_id }) => img_roi_id !== null)
      .map(({ img_roi_id, img_id }) => member(img_roi_id!, img_id));
    expect(text).toBe(
      `{"code":0,"msg":"成功","old_new_lab_class_map":{${classMap.join(',')}},` +
        `"old_new_img_info_map":{${imageMap.join(',')}},"roi_id_old_img_id_old":{${roiMap.join(',')}},` +
        `"next_cursor":null}`,
    );
    expect([classMap, imageMap, roiMap].map(({ length }) => length)).toEqual([3, 5, 3]);
  });

  it('tell ROI and document apart: an image may have both, one of them or none', async () => {
    const target = await copyOf(await aTask());
    const infos = Object.values((await mapsOf(target)).old_new_img_info_map);
    const presence = (info: NewImageInfo) => [
      info.img_roi_id_old !== null,
      info.img_roi_id_new !== null,
      info.labeled_img_id_old !== null,
      info.labeled_img_id_new !== null,
    ];
    expect(infos.map(presence)).toEqual([
      [false, false, true, true],
      [true, true, false, false],
      [true, true, true, true],
      [false, false, false, false],
      [true, true, true, true],
    ]);
    const ids = infos.flatMap(({ img_id_new, img_roi_id_old, img_roi_id_new }) => [
      img_id_new,
      ...(img_roi_id_old === null ? [] : [img_roi_id_old, img_roi_id_new]),
    ]);
    for (const id of ids) expect(id).toMatch(ID);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('are empty for the copy of an empty task', async () => {
    const target = await copyOf(await aTask({ images: [] }));
    expect((await askMaps(target)).text).toBe((await askMaps(target, '?limit=1')).text);
    expect((await askMaps(target)).body).toEqual({
      code: 0,
      msg: '成功',
      old_new_lab_class_map: {},
      old_new_img_info_map: {},
      roi_id_old_img_id_old: {},
      next_cursor: null,
    });
  });

  it.each([1, 2, 5, 1000])('come in pages of %i that together are the whole', async (limit) => {
    const target = await copyOf(await aTask());
    const whole = await mapsOf(target);
    const pages = await pagesOf(target, limit);
    expect(pages).toHaveLength(Math.ceil(5 / limit));
    for (const page of pages) {
      expect(page.old_new_lab_class_map).toEqual(whole.old_new_lab_class_map);
      expect(Object.keys(page.old_new_img_info_map).length).toBeLessThanOrEqual(limit);
      const images = Object.keys(page.old_new_img_info_map);
      for (const image of Object.values(page.roi_id_old_img_id_old)) expect(images).toContain(image);
    }
    const union = (name: 'old_new_img_info_map' | 'roi_id_old_img_id_old') =>
      pages.flatMap((page) => Object.entries<unknown>(page[name]));
    expect(union('old_new_img_info_map')).toEqual(Object.entries(whole.old_new_img_info_map));
    expect(union('roi_id_old_img_id_old')).toEqual(Object.entries(whole.roi_id_old_img_id_old));
  });

  it('are pages of a hundred where only a cursor is given', async () => {
    const target = await copyOf(await aTask(aDataSet({ images: 103, annotationsEach: 0 })));
    const { next_cursor } = await mapsOf(target, '?limit=1');
    const page = await mapsOf(target, `?cursor=${next_cursor!}`);
    expect(Object.keys(page.old_new_img_info_map)).toHaveLength(100);
    const last = await mapsOf(target, `?cursor=${page.next_cursor!}`);
    expect(Object.keys(last.old_new_img_info_map)).toHaveLength(2);
    expect(last.next_cursor).toBeNull();
  });

  it('stream more than two batches of the cursor without loss or doubles', async () => {
    const count = 4_001;
    const images = aDataSet({ images: count, annotationsEach: 1 });
    const roiOn = (at: number) => (at % 2 === 0 ? { roi: [0, 0, 1, 1] } : {});
    const source = await aTask({
      ...images,
      images: images.images.map((image, at) => ({ ...image, ...roiOn(at) })),
    });
    const whole = await mapsOf(await copyOf(source));
    const { body } = await app.api.get(`/training/tasks/${source}/images?limit=1000`);
    const infos = Object.entries(whole.old_new_img_info_map);
    expect(infos).toHaveLength(count);
    expect(new Set(infos.map(([, { img_id_new }]) => img_id_new)).size).toBe(count);
    expect(new Set(infos.map(([, { labeled_img_id_new }]) => labeled_img_id_new)).size).toBe(count);
    expect(Object.keys(whole.roi_id_old_img_id_old)).toHaveLength(2_001);
    expect(infos.slice(0, 1000).map(([id]) => id)).toEqual(
      (body['image_list'] as { img_id: string }[]).map(({ img_id }) => img_id),
    );
  });

  it('have no old document once the source is gone, and are the same in all else', async () => {
    const source = await aTask();
    const target = await copyOf(source);
    const before = await mapsOf(target);
    await remove(source);
    const withoutOld = Object.entries(before.old_new_img_info_map).map(([id, info]) => [
      id,
      { ...info, labeled_img_id_old: null },
    ]);
    expect(await mapsOf(target)).toEqual({
      ...before,
      old_new_img_info_map: Object.fromEntries(withoutOld) as unknown,
    });
  });

  it('show the documents that both images have now', async () => {
    const source = await aTask();
    const target = await copyOf(source);
    const documents = { [source]: 'a'.repeat(24), [target]: 'b'.repeat(24) };
    for (const [task, document] of Object.entries(documents)) {
      await app.dataSource.query(
        `UPDATE image SET mongo_id = $2::text WHERE task_id = $1::bigint AND order_id = (SELECT min(order_id) FROM image WHERE task_id = $1::bigint)`,
        [task, document],
      );
    }
    expect(Object.values((await mapsOf(target)).old_new_img_info_map)[0]).toMatchObject({
      labeled_img_id_old: 'a'.repeat(24),
      labeled_img_id_new: 'b'.repeat(24),
    });
  });

  it('of the copy of a copy lead to the copy, not to where that came from', async () => {
    const source = await aTask();
    const copy = await copyOf(source);
    const copyOfCopy = await copyOf(copy);
    const [first, second] = [await mapsOf(copy), await mapsOf(copyOfCopy)];
    const newImages = Object.values(first.old_new_img_info_map);
    expect(Object.keys(second.old_new_img_info_map)).toEqual(newImages.map(({ img_id_new }) => img_id_new));
    expect(Object.keys(second.old_new_lab_class_map)).toEqual(
      Object.values(first.old_new_lab_class_map).map(({ lab_class_id_new }) => String(lab_class_id_new)),
    );
    expect(Object.keys(second.roi_id_old_img_id_old)).toEqual(
      newImages.map(({ img_roi_id_new }) => img_roi_id_new).filter((id) => id !== null),
    );
    expect((await askStatus(copyOfCopy)).body).toMatchObject({ task_id_old: copy, task_id: copyOfCopy });
    await remove(copy);
    expect(await mapsOf(copyOfCopy)).toMatchObject({ old_new_lab_class_map: second.old_new_lab_class_map });
  });

  it('of two copies of one source are independent', async () => {
    const source = await aTask();
    const [one, other] = [await copyOf(source), await copyOf(source)];
    const before = await mapsOf(other);
    await remove(one);
    expect(await mapsOf(other)).toEqual(before);
  });
});
