import { newTaskId, type Answer, type Api } from '../support/api';
import { aDataSet, type CocoDataSet } from '../support/data-set';
import { aDirtyDataSet } from '../support/dirty-data-set';
import { eventually } from '../support/eventually';
import { inOtherSession } from '../support/other-session';
import { contentOf, type TaskContent } from '../support/task-content';
import { TestApp } from '../support/test-app';

let app: TestApp;
let api: Api;

beforeAll(async () => {
  app = await TestApp.start();
  api = app.api;
});
afterAll(() => app.stop());

const exportOf = (task: string): Promise<Answer> => api.get(`/training/tasks/${task}/coco`);

/** A task of type 1 with this content. */
async function aTask(dataSet: unknown = aDataSet()): Promise<string> {
  const id = newTaskId();
  expect(await api.importCoco(id, dataSet)).toMatchObject({ status: 200 });
  return id;
}

async function aCopyOf(task: string): Promise<string> {
  const id = newTaskId();
  expect(await api.duplicate(task, id)).toMatchObject({ status: 200 });
  return id;
}

async function isWaitingFor(table: string): Promise<boolean> {
  const waiting = await app.dataSource.query<unknown[]>(
    `SELECT FROM pg_locks WHERE relation = $1::regclass AND NOT granted`,
    [table],
  );
  return waiting.length > 0;
}

/** All that a task can hold: order with gaps, ROIs, every set type and state, documents with nothing in them, and none. */
function aFullDataSet(): CocoDataSet {
  const states = [null, '已标注', '已训练', '已测试'];
  const images = Array.from({ length: 24 }, (_, at) => ({
    id: `image ${String(at)}`,
    file_name: `folder/图 ${String(at)} 𠮷.jpg`,
    width: 1920,
    height: 1080,
    // 7 has no common divisor with 24, so that the order is another than that of the file.
    order_id: 10 * ((at * 7) % 24) + 3,
    set_type: at % 3,
    state: states[at % 4],
    ...(at % 5 < 2 && { roi: [at, 2 * at, 1920 - at, 1] }),
    ...(at % 6 === 0 && { license: at, tags: [{ deep: [null, 'x'] }], order: 'mine' }),
  }));
  return {
    licenses: [{ id: 3, url: 'https://example.org/?a=1&b=2' }],
    info: { year: 2019, 名: '\u2028"\\', nothing: null },
    images,
    categories: [
      { id: 40, name: '同名', color: '#AABBCC', supercategory: 'b' },
      { id: 30, name: '同名' },
      { id: 'c', name: 'unused', supercategory: null, keypoints: ['nose', 'eye'], skeleton: [[1, 2]] },
    ],
    // None for every third image: of these, those with a state have a document all the same.
    annotations: images.flatMap(({ id: image_id }, at) =>
      Array.from({ length: at % 3 }, (_, nth) => ({
        id: 100 * at + nth,
        category_id: nth === 0 ? 30 : 40,
        image_id,
        bbox: [at + 0.1, -1, 517.0000000000001, 1e-7],
        ...(nth === 1 && { iscrowd: 1, segmentation: { counts: 'PPYo1\\`0"', size: [1080, 1920] } }),
      })),
    ),
  };
}

/** Unknown members wherever there may be some, of all kinds and with names that are easily lost. */
function aDataSetOfUnknownMembers(): CocoDataSet {
  const unknown = JSON.parse(
    `{"__proto__": {"a": 1}, "10": 1, "9": [], "constructor": null, "$set": {"a.b": {}}, "": true,
      "tiny": 5e-324, "safe": -9007199254740991, "text": "\\u2028\\ud83d\\ude00\\\\\\"", "img_name": "x", "mongo_id": 1}`,
  ) as Record<string, unknown>;
  const dataSet = aDataSet({ images: 3, classes: 2, annotationsEach: 2 });
  const grow = (elements: Record<string, unknown>[]) =>
    elements.map((element) => ({ ...element, ...unknown }));
  return {
    info: unknown,
    licenses: [unknown],
    images: grow(dataSet.images),
    categories: grow(dataSet.categories),
    annotations: grow(dataSet.annotations),
  };
}

const DATA_SETS: [what: string, dataSet: CocoDataSet][] = [
  ['a small one', aDataSet()],
  ['a dirty one', aDirtyDataSet().dataSet],
  ['one with all that a task can hold', aFullDataSet()],
  ['one of unknown members', aDataSetOfUnknownMembers()],
  ['one without an annotation', { ...aDataSet(), annotations: [] }],
  ['one of classes only', { ...aDataSet(), images: [], annotations: [] }],
];

/** Written out member by member, in their order, with places for the ids: two tasks of the same content are equal so. */
function withoutIds(exported: CocoDataSet): unknown {
  const { images, categories, annotations, ...head } = exported;
  const places = new Map(categories.map(({ id }, at) => [id, at + 1]));
  return [
    JSON.stringify(head),
    ...images.map((image) => JSON.stringify({ ...image, img_id: '' })),
    ...categories.map((category, at) => JSON.stringify({ ...category, id: at + 1 })),
    ...annotations.map(({ category_id, ...annotation }) =>
      JSON.stringify({ ...annotation, category: places.get(category_id) }),
    ),
  ];
}

function closed(exported: CocoDataSet): CocoDataSet {
  return { ...exported, images: exported.images.map((image, at) => ({ ...image, order_id: at + 1 })) };
}

/** What the service shows of a task beside its export, without ids. */
function shown({ images, classes, annotations }: TaskContent): unknown {
  const places = new Map(classes.map(({ id }, at) => [id, at]));
  return {
    images: images.map(({ img_id, mongo_id, img_roi_id, ...image }) => ({
      ...image,
      hasDocument: mongo_id !== null,
      hasRoi: img_roi_id !== null,
    })),
    classes: classes.map((labelClass, at) => ({ ...labelClass, id: at })),
    annotations: annotations.map((list) =>
      list.map(({ lab_class_id, ...rest }) => ({ class: places.get(lab_class_id), rest })),
    ),
  };
}

describe('an export', () => {
  it('is a plain COCO file, in this order of its members', async () => {
    const task = await aTask({
      licenses: [{ id: 1 }],
      info: { year: 2019 },
      annotations: [
        { id: 9, image_id: 5, category_id: 0, bbox: [1, 2, 3, 4.5], iscrowd: 0 },
        { id: 9, area: 0.5, image_id: 4, category_id: 0 },
      ],
      categories: [{ name: 'b', id: 0, supercategory: 's' }],
      images: [
        { order_id: 30, id: 5, file_name: 'x.jpg', width: 20, height: 10, roi: [1, 2, 3, 4], set_type: 2 },
        { id: 4, file_name: 'y.jpg', width: 20, height: 10, license: 1, order_id: 20, state: '已测试' },
      ],
    });
    const { images, classes } = await contentOf(api, task);
    const [y, x] = images.map(({ img_id }) => img_id);
    const category = String(classes[0]!.id);
    expect((await exportOf(task)).text).toBe(
      '{"info":{"year":2019},"licenses":[{"id":1}],' +
        `"categories":[{"id":${category},"name":"b","color":"#e6194b","supercategory":"s"}],"images":[` +
        `{"id":1,"file_name":"y.jpg","width":20,"height":10,"img_id":"${y!}","set_type":0,"state":"已测试",` +
        '"roi":null,"order_id":20,"license":1},' +
        `{"id":2,"file_name":"x.jpg","width":20,"height":10,"img_id":"${x!}","set_type":2,"state":"已标注",` +
        '"roi":[1,2,3,4],"order_id":30}],"annotations":[' +
        `{"id":1,"image_id":1,"category_id":${category},"area":0.5},` +
        `{"id":2,"image_id":2,"category_id":${category},"bbox":[1,2,3,4.5],"iscrowd":0}]}`,
    );
  });

  it('is sent as a file of JSON, named after the task', async () => {
    const task = await aTask();
    const { status, headers } = await exportOf(task);
    expect(status).toBe(200);
    expect(headers.get('Content-Type')).toBe('application/json; charset=utf-8');
    expect(headers.get('Content-Disposition')).toBe(`attachment; filename="coco-${task}.json"`);
    expect(headers.get('X-Request-Id')).toMatch(/^[\w-]{36}$/);
    expect(headers.get('Idempotency-Replayed')).toBeNull();
  });

  it.each(DATA_SETS)('of %s is numbered 1..n by order_id and 1..m, image by image', async (_, dataSet) => {
    const { exported, images, classes } = await contentOf(api, await aTask(dataSet));
    const numbers = (elements: unknown[]) => elements.map((__, at) => at + 1);
    expect(exported.images.map(({ id }) => id)).toEqual(numbers(dataSet.images));
    expect(exported.annotations.map(({ id }) => id)).toEqual(numbers(dataSet.annotations));
    expect(exported.images.map(({ img_id, order_id }) => [img_id, order_id])).toEqual(
      images.map(({ img_id, order_id }) => [img_id, order_id]),
    );
    const orders = images.map(({ order_id }) => order_id);
    expect(orders).toEqual(orders.toSorted((a, b) => a - b));
    const owners = exported.annotations.map(({ image_id }) => image_id as number);
    expect(owners).toEqual(owners.toSorted((a, b) => a - b));
    expect(exported.categories.map(({ id, name, color }) => [id, name, color])).toEqual(
      classes.map(({ id, name, color }) => [id, name, color]),
    );
  });

  it.each(DATA_SETS)('of %s names the files, places and members of the data set', async (_, dataSet) => {
    const exported = (await exportOf(await aTask(dataSet))).body as unknown as CocoDataSet;
    const byOrder = dataSet.images.toSorted(
      (a, b) => Number(a['order_id'] ?? 0) - Number(b['order_id'] ?? 0),
    );
    const place = new Map(byOrder.map(({ id }, at) => [id, at + 1]));
    exported.images.forEach(({ id, img_id, roi, ...image }, at) => {
      const { id: __, state, roi: wanted = null, ...members } = byOrder[at]!;
      expect(image).toMatchObject(members);
      expect(roi).toEqual(wanted);
      if (state != null) expect(image['state']).toBe(state);
    });
    const classOf = new Map(dataSet.categories.map(({ id }, at) => [id, exported.categories[at]!['id']]));
    const wanted = dataSet.annotations
      .map(({ id, image_id, category_id, ...rest }) => ({
        image_id: place.get(image_id)!,
        category_id: classOf.get(category_id),
        ...rest,
      }))
      .toSorted((a, b) => a.image_id - b.image_id);
    expect(exported.annotations.map(({ id, ...annotation }) => annotation)).toEqual(wanted);
  });

  it('has neither info nor licenses where there are none', async () => {
    for (const head of [{}, { info: null, licenses: null }]) {
      const { body } = await exportOf(await aTask({ ...aDataSet(), ...head }));
      expect(Object.keys(body)).toEqual(['categories', 'images', 'annotations']);
    }
  });

  it('of an empty task is a data set, too', async () => {
    const task = newTaskId();
    await api.post('/training/tasks', { task_id: task, task_name: 'empty' });
    const { status, text } = await exportOf(task);
    expect({ status, text }).toEqual({
      status: 200,
      text: '{"categories":[],"images":[],"annotations":[]}',
    });
    expect((await exportOf(await aTask(text))).text).toBe(text);
  });

  it('of a task that does not exist is a 404, and a plain one', async () => {
    const answer = await exportOf(newTaskId());
    expect(answer).toMatchObject({ status: 404, body: { code: 40402 } });
    expect(Object.keys(answer.body)).toEqual(['code', 'msg']);
    expect(answer.headers.get('Content-Disposition')).toBeNull();
    expect(await exportOf('123')).toMatchObject({ status: 400, body: { code: 40005 } });
  });

  it('is one version of the task, also when the task is deleted meanwhile', async () => {
    const task = await aTask();
    const whole = await exportOf(task);
    const { answer } = await inOtherSession(app, async (session) => {
      await session.query('BEGIN');
      await session.query('LOCK TABLE labeled_image IN ACCESS EXCLUSIVE MODE');
      const answer = exportOf(task);
      // Now it has read the images, and comes to the documents only when they are gone.
      await eventually('the export waits', () => isWaitingFor('labeled_image'));
      for (const table of ['labeled_image', 'roi_image', 'image', 'label_class', 'task']) {
        await session.query(`DELETE FROM ${table} WHERE task_id = $1`, [task]);
      }
      await session.query('COMMIT');
      return { answer };
    });
    expect((await answer).text).toBe(whole.text);
    expect(await exportOf(task)).toMatchObject({ status: 404 });
  });
});

describe('a round trip', () => {
  it.each(DATA_SETS)('through a copy: the export of %s is that of its source', async (_, dataSet) => {
    const source = await aTask(dataSet);
    const copy = await aCopyOf(source);
    const [original, copied] = [await contentOf(api, source), await contentOf(api, copy)];
    expect(withoutIds(copied.exported)).toEqual(withoutIds(closed(original.exported)));
    const ids = original.exported.images.map(({ img_id }) => img_id);
    expect(copied.exported.images.filter(({ img_id }) => ids.includes(img_id))).toEqual([]);
    const classes = original.classes.map(({ id }) => id);
    expect(copied.exported.categories.filter(({ id }) => classes.includes(id as number))).toEqual([]);
  });

  it.each(DATA_SETS)('through a file: %s imports again to the same content', async (_, dataSet) => {
    const first = await contentOf(api, await aTask(dataSet));
    const { text } = await exportOf(first.task['task_id'] as string);
    const again = await contentOf(api, await aTask(text));
    expect(withoutIds(again.exported)).toEqual(withoutIds(first.exported));
    expect(shown(again)).toEqual(shown(first));
  });

  it('keeps apart what is easily taken for the same', async () => {
    const { images } = await contentOf(api, await aTask(aFullDataSet()));
    const kinds = images.map(({ state, mongo_id, set_type, img_roi_id }) =>
      [state, mongo_id !== null, set_type, img_roi_id !== null].join(),
    );
    // Of the 24 images: all set types and states, with ROI and without, and a document exactly where there is a state.
    expect(new Set(kinds).size).toBeGreaterThan(10);
    for (const { state, mongo_id } of images) expect(mongo_id === null).toBe(state === null);
    expect(images.filter(({ state }) => state === null)).not.toEqual([]);
  });

  it('leaves only the dirt that is in the shapes and the classes', async () => {
    const { dataSet, dirt } = aDirtyDataSet();
    const { text } = await exportOf(await aTask(dataSet));
    const { body } = await api.importCoco(newTaskId(), text);
    const counts = (body['warnings'] as { code: string; count: number }[]).map(({ code, count }) => ({
      code,
      count,
    }));
    const stays = [
      'duplicate_category_name',
      'odd_polygon',
      'short_polygon',
      'unused_category',
      'zero_size_box',
    ];
    expect(counts.toSorted((a, b) => a.code.localeCompare(b.code))).toEqual(
      dirt.filter(({ code }) => stays.includes(code)),
    );
  });

  it('keeps 3,000 images with 10,000 annotations, through a copy and a file', async () => {
    const { images, categories } = aDataSet({ images: 3_000, classes: 60 });
    // 7,919 is a prime, so that the annotations stand in no order.
    const annotations = Array.from({ length: 10_000 }, (_, at) => ({
      id: at + 1,
      image_id: 1 + ((at * 7_919) % 2_999),
      category_id: 1 + (at % 60),
      bbox: [at, 0.5, 1, 1],
    }));
    const source = newTaskId();
    const { body } = await api.importCoco(source, { annotations, images, categories });
    expect(body).toMatchObject({ images: 3_000, annotations: 10_000, label_classes: 60, warnings: [] });
    expect((await api.get(`/training/tasks/${source}`)).body['image_count']).toBe(3_000);

    const { text, body: exported } = await exportOf(source);
    const expected = annotations.toSorted((a, b) => a.image_id - b.image_id).map(({ bbox }) => bbox[0]);
    expect((exported as unknown as CocoDataSet).annotations.map(({ bbox }) => (bbox as number[])[0])).toEqual(
      expected,
    );
    const others = [await aCopyOf(source), await aTask(text)];
    const lines = withoutIds(exported as unknown as CocoDataSet);
    for (const other of others) {
      expect(withoutIds((await exportOf(other)).body as unknown as CocoDataSet)).toEqual(lines);
    }
  });
});
