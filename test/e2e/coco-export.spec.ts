import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { newTaskId, type Api } from '../support/api';
import { aDataSet, type CocoDataSet } from '../support/data-set';
import { aDirtyDataSet } from '../support/dirty-data-set';
import { eventually } from '../support/eventually';
import { inOtherSession } from '../support/other-session';
import { contentOf } from '../support/task-content';
import { TestApp } from '../support/test-app';

let app: TestApp;
let api: Api;

beforeAll(async () => {
  app = await TestApp.start();
  api = app.api;
});
afterAll(() => app.stop());

async function aTask(file: unknown = aDataSet()): Promise<string> {
  const id = newTaskId();
  expect(await api.importCoco(id, file)).toMatchObject({ status: 200 });
  return id;
}

async function aCopy(source: string): Promise<string> {
  const id = newTaskId();
  expect(await api.duplicate(source, id)).toMatchObject({ status: 200 });
  return id;
}

type Exported = CocoDataSet & Record<string, unknown>;

async function exportOf(task: string): Promise<Exported> {
  return (await api.exportCoco(task)) as Exported;
}

/** What a data set says apart from the ids of this service: classes by their place, images without `img_id`. */
function content({ categories, images, annotations, ...head }: Exported): unknown {
  const placeOf = new Map(categories.map(({ id }, at) => [id, at]));
  return {
    ...head,
    categories: categories.map((category) => ({ ...category, id: placeOf.get(category['id']) })),
    images: images.map(({ img_id: _, ...image }) => image),
    annotations: annotations.map((annotation) => ({
      ...annotation,
      category_id: placeOf.get(annotation['category_id']),
    })),
  };
}

/** The same with the places closed up to 1..n, as in a copy. */
function closedUp(exported: Exported): Exported {
  return { ...exported, images: exported.images.map((image, at) => ({ ...image, order_id: at + 1 })) };
}

/** Everything at once: no order, gaps, both states of being annotated, unknown members everywhere. */
function aFullDataSet() {
  return {
    info: { description: '数据集', version: 1.5 },
    licenses: [{ id: 0, name: 'CC' }],
    annotations: [
      { id: 'x', image_id: 'b', category_id: 5, bbox: [1, 2, 3, 4.5], iscrowd: 0, score: 0.25 },
      { id: 7, image_id: 'a', category_id: 6, segmentation: { size: [48, 64], counts: [0, 3072] } },
      { segmentation: [[1, 2, 3, 4, 5, 6.5]], image_id: 'b', category_id: 6, id: 0, area: 1e-7 },
    ],
    categories: [
      { id: 6, name: 'same', supercategory: 's', keypoints: ['a', 'b'] },
      { id: 5, name: 'same', color: '#ABCDEF' },
    ],
    images: [
      { id: 'a', file_name: '一.jpg', width: 64, height: 48, order_id: 30, set_type: 2, coco_url: null },
      { id: 'b', file_name: '二.jpg', width: 65, height: 49, order_id: 4, roi: [1, 2, 3, 4] },
      { id: 'c', file_name: '三.jpg', width: 66, height: 50, order_id: 17, state: '已训练' },
      { id: 'd', file_name: '四.jpg', width: 67, height: 51, order_id: 100, date: { taken: '2018' } },
    ],
  };
}

describe('an export', () => {
  it('is a plain COCO file to save, without an envelope', async () => {
    const task = await aTask();
    const { status, headers, body } = await api.get(`/training/tasks/${task}/coco`);
    expect(status).toBe(200);
    expect(headers.get('Content-Type')).toBe('application/json; charset=utf-8');
    expect(headers.get('Content-Disposition')).toBe(`attachment; filename="coco-${task}.json"`);
    expect(headers.get('X-Request-Id')).toMatch(/^[\w-]{36}$/);
    expect(Object.keys(body)).toEqual(['categories', 'images', 'annotations']);
  });

  it('numbers images by order_id and annotations in their order, and adds what the service knows', async () => {
    const task = await aTask(aFullDataSet());
    const { images: listed, classes } = await contentOf(api, task);
    const exported = await exportOf(task);
    const [same, other] = classes.map(({ id }) => id);
    expect(exported).toEqual({
      info: { description: '数据集', version: 1.5 },
      licenses: [{ id: 0, name: 'CC' }],
      categories: [
        { id: same, name: 'same', color: '#e6194b', supercategory: 's', keypoints: ['a', 'b'] },
        { id: other, name: 'same', color: '#abcdef' },
      ],
      images: [
        ['二.jpg', 65, 49, 0, '已标注', [1, 2, 3, 4], 4, {}],
        ['三.jpg', 66, 50, 0, '已训练', null, 17, {}],
        ['一.jpg', 64, 48, 2, '已标注', null, 30, { coco_url: null }],
        ['四.jpg', 67, 51, 0, null, null, 100, { date: { taken: '2018' } }],
      ].map(([file_name, width, height, set_type, state, roi, order_id, unknown], at) => ({
        id: at + 1,
        file_name,
        width,
        height,
        img_id: listed[at]!.img_id,
        set_type,
        state,
        roi,
        order_id,
        ...(unknown as object),
      })),
      annotations: [
        { id: 1, image_id: 1, category_id: other, bbox: [1, 2, 3, 4.5], iscrowd: 0, score: 0.25 },
        { id: 2, image_id: 1, category_id: same, segmentation: [[1, 2, 3, 4, 5, 6.5]], area: 1e-7 },
        { id: 3, image_id: 3, category_id: same, segmentation: { size: [48, 64], counts: [0, 3072] } },
      ],
    });
    expect(Object.keys(exported)).toEqual(['info', 'licenses', 'categories', 'images', 'annotations']);
  });

  it('imports again to the same content, gaps of order_id included', async () => {
    for (const file of [aFullDataSet(), aDirtyDataSet().dataSet, aDataSet(), { images: [] }]) {
      const exported = await exportOf(await aTask(file));
      const again = await exportOf(await aTask(exported));
      expect(content(again)).toEqual(content(exported));
      const ids = new Set(exported.images.map(({ img_id }) => img_id));
      expect(again.images.filter(({ img_id }) => ids.has(img_id))).toEqual([]);
    }
  });

  it('of a copy is that of its source but for ids and closed-up places', async () => {
    for (const file of [aFullDataSet(), aDirtyDataSet().dataSet]) {
      const source = await aTask(file);
      const before = await api.get(`/training/tasks/${source}/coco`);
      const copy = await aCopy(await aCopy(source));
      expect(content(await exportOf(copy))).toEqual(content(closedUp(before.body as unknown as Exported)));
      expect((await api.get(`/training/tasks/${source}/coco`)).text).toBe(before.text);
    }
  });

  it('keeps the numbers and the order of members of every annotation', async () => {
    const members =
      '"z":1.5,"a":-0.1,"bbox":[1e-7,123456789.25,5,5e-324],"m":{"y":1,"x":[9007199254740991]},"":null';
    const file = `{"images":[{"id":1,"file_name":"a","width":1,"height":1}],"categories":[{"id":1,"name":"c"}],
      "annotations":[{"id":1,"image_id":1,"category_id":1,${members}}]}`;
    const copy = await aCopy(await aTask(file));
    expect((await api.get(`/training/tasks/${copy}/coco`)).text).toContain(`,${members}}]}`);
  });

  it('of a task without content has empty lists', async () => {
    const { body } = await api.post('/training/tasks', { task_name: 'empty' });
    const { text } = await api.get(`/training/tasks/${String(body['task_id'])}/coco`);
    expect(text).toBe('{"categories":[],"images":[],"annotations":[]}');
  });

  it('keeps the file numbers to itself where a document has members of their names', async () => {
    const task = await aTask(aDataSet({ images: 1, annotationsEach: 1 }));
    const odd = `[{"id": 77, "image_id": 78, "category_id": 79, "bbox": [1, 2, 3, 4]}]`;
    await app.dataSource.query('UPDATE labeled_image SET annotations = $2::json WHERE task_id = $1', [
      task,
      odd,
    ]);
    const { annotations, categories } = await exportOf(task);
    expect(annotations).toEqual([
      { id: 1, image_id: 1, category_id: categories[0]!['id'], bbox: [1, 2, 3, 4] },
    ]);
  });

  it('counts images without documents, over any number of pages of documents', async () => {
    const dataSet = aDataSet({ images: 2_600, annotationsEach: 1 });
    // Large documents and long runs of images without any, so that pages end at both.
    dataSet.annotations = dataSet.annotations.filter(({ image_id }) => Number(image_id) % 700 < 90);
    dataSet.annotations.forEach((annotation, at) => {
      if (at % 40 === 0) annotation['noise'] = Array.from({ length: 20_000 }, (_, n) => (n * 7919) % 100_003);
    });
    const { images, annotations } = await exportOf(await aTask(dataSet));
    expect(images.map(({ id }) => id)).toEqual(dataSet.images.map((_, at) => at + 1));
    const key = ({ image_id, bbox, noise }: Record<string, unknown>) =>
      JSON.stringify([image_id, bbox, noise]);
    expect(annotations.map(key)).toEqual(dataSet.annotations.map(key));
    expect(annotations.map(({ id }) => id)).toEqual(dataSet.annotations.map((_, at) => at + 1));
  });

  it('is one version of the task, whatever happens while it is read', async () => {
    const task = await aTask(aLargeDataSet());
    const whole = await api.get(`/training/tasks/${task}/coco`);
    const response = await openExport(task);
    await inOtherSession(app, async (session) => {
      await session.query('BEGIN');
      await session.query('UPDATE image SET mongo_id = NULL WHERE task_id = $1', [task]);
      await session.query('DELETE FROM labeled_image WHERE task_id = $1', [task]);
      await session.query('DELETE FROM image WHERE task_id = $1', [task]);
      await session.query('COMMIT');
    });
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString()).toBe(whole.text);
  });

  it('lets its connection go when the reader leaves', async () => {
    const task = await aTask(aLargeDataSet());
    const response = await openExport(task);
    response.destroy();
    await eventually('no transaction is left open', async () => {
      const [{ open }] = await app.dataSource.query(
        `SELECT count(*)::int AS open
         FROM pg_stat_activity
         WHERE datname = current_database() AND state LIKE 'idle in transaction%'`,
      );
      return open === 0;
    });
  });

  /** 25 MB: more than the buffers of a connection take. */
  function aLargeDataSet(): CocoDataSet {
    const dataSet = aDataSet({ images: 2_500, annotationsEach: 1 });
    for (const annotation of dataSet.annotations) annotation['text'] = 'x'.repeat(10_000);
    return dataSet;
  }

  /** Begins an export; most of it is still to be read. */
  async function openExport(task: string): Promise<IncomingMessage> {
    const [response] = await once(get(`${app.url}/training/tasks/${task}/coco`), 'response');
    return response as IncomingMessage;
  }

  it.each([
    ['2018102439652899999', 404, 40402],
    ['123', 400, 40005],
  ])('of %s is a %i', async (task, status, code) => {
    const answer = await api.get(`/training/tasks/${task}/coco`);
    expect(answer).toMatchObject({ status, body: { code } });
    expect(Object.keys(answer.body)).toEqual(['code', 'msg']);
    expect(answer.headers.get('Content-Disposition')).toBeNull();
  });

  it('takes no query', async () => {
    const answer = await api.get(`/training/tasks/${await aTask()}/coco?pretty=1`);
    expect(answer).toMatchObject({ status: 400, body: { code: 40004 } });
  });
});
