import { once } from 'node:events';
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { calculateObjectSize } from 'bson';
import { newTaskId, type Answer, type Api } from '../support/api';
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

/** An import, refused or not, holds nothing when it has been answered: no lock, no temporary table, no file. */
afterEach(async () => {
  expect(await held()).toEqual({ locks: 0, temporaryTables: 0, transactions: 0 });
  expect(openUploads()).toEqual([]);
});

async function held(): Promise<Record<string, number>> {
  const [row] = await app.dataSource.query<Record<string, number>[]>(
    `SELECT
       (SELECT count(*)::int FROM pg_locks
        WHERE locktype = 'advisory'
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS locks,
       (SELECT count(*)::int FROM pg_class WHERE relpersistence = 't') AS "temporaryTables",
       (SELECT count(*)::int FROM pg_stat_activity
        WHERE datname = current_database() AND state LIKE 'idle in transaction%') AS transactions`,
  );
  return row!;
}

/** The service runs in this process; what it has spooled has no name, and is there while it is open. */
function openUploads(): string[] {
  const folder = '/proc/self/fd';
  if (!existsSync(folder)) return [];
  const targets = readdirSync(folder).map((descriptor) => {
    try {
      return readlinkSync(`${folder}/${descriptor}`);
    } catch {
      return ''; // the one of this very listing
    }
  });
  return targets.filter((target) => target.includes('training-tasks-upload'));
}

/** Puts a file, in English, so that what is said about it can be read here. */
function put(
  task: string,
  file: unknown,
  { query = 'task_type=1', type = 'application/json' }: { query?: string; type?: string | null } = {},
): Promise<Answer> {
  const body = typeof file === 'string' || Buffer.isBuffer(file) ? file : JSON.stringify(file);
  const headers = { 'Accept-Language': 'en', ...(type !== null && { 'Content-Type': type }) };
  // fetch names the type of a text itself, but not that of bytes.
  return api.send('PUT', `/training/tasks/${task}/coco?${query}`, { body: Buffer.from(body), headers });
}

/** A task with this content. */
async function aTask(file: unknown = aDataSet(), query?: string): Promise<string> {
  const id = newTaskId();
  expect(await put(id, file, query === undefined ? {} : { query })).toMatchObject({ status: 200 });
  return id;
}

/** That a file is refused with this error, whatever the target, and changes nothing. */
async function expectRefused(file: unknown, code: number, message: RegExp): Promise<void> {
  const before = await app.rowCounts();
  const answer = await put(newTaskId(), file);
  expect(answer).toMatchObject({
    status: Math.floor(code / 100),
    body: { code, msg: expect.stringMatching(message) },
  });
  expect(Object.keys(answer.body)).toEqual(['code', 'msg']);
  expect(await app.rowCounts()).toEqual(before);
}

const expectFaulty = (file: unknown, message: RegExp) => expectRefused(file, 42202, message);
const expectNoDataSet = (file: unknown, message: RegExp) => expectRefused(file, 42201, message);

interface Warning {
  readonly code: string;
  readonly count: number;
  readonly examples: string[];
}

async function warningsOf(file: unknown): Promise<Warning[]> {
  const { status, body, text } = await put(newTaskId(), file);
  expect({ status, text }).toMatchObject({ status: 200 });
  return body['warnings'] as Warning[];
}

/** The small data set with other members in its first image, category or annotation. */
function withFirst(
  array: 'images' | 'categories' | 'annotations',
  members: Record<string, unknown>,
): CocoDataSet {
  const dataSet = aDataSet();
  Object.assign(dataSet[array][0]!, members);
  return dataSet;
}

function withoutFirst(array: 'images' | 'categories' | 'annotations', member: string): CocoDataSet {
  const dataSet = aDataSet();
  Reflect.deleteProperty(dataSet[array][0]!, member);
  return dataSet;
}

function nested(levels: number): unknown {
  let inner: unknown = [];
  for (let level = 1; level < levels; level++) inner = [inner];
  return inner;
}

describe('the answer', () => {
  it('counts what was imported, in this order of its members', async () => {
    const { status, text } = await api.importCoco(
      newTaskId(),
      aDataSet({ images: 4, classes: 2, annotationsEach: 2 }),
    );
    expect(status).toBe(200);
    expect(text).toBe('{"code":0,"msg":"成功","images":4,"annotations":8,"label_classes":2,"warnings":[]}');
  });

  it('says OK in English', async () => {
    expect((await put(newTaskId(), aDataSet())).body).toMatchObject({ code: 0, msg: 'OK' });
  });
});

describe('the file', () => {
  it.each(['application/json', 'application/json; charset=utf-8', 'application/octet-stream', null])(
    'may come as %s',
    async (type) => {
      expect(await put(newTaskId(), aDataSet(), { type })).toMatchObject({ status: 200 });
    },
  );

  it.each([
    'text/plain',
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded',
    'nonsense',
    '',
  ])('is refused as %p', async (type) => {
    const before = await app.rowCounts();
    const task = newTaskId();
    const path = `/training/tasks/${task}/coco?task_type=1`;
    const headers = { 'Content-Type': type };
    const answer = await api.send('PUT', path, { body: JSON.stringify(aDataSet()), headers });
    expect(answer).toMatchObject({ status: 415, body: { code: 41501 } });
    expect(await app.rowCounts()).toEqual(before);
  });

  it('is refused when it is compressed', async () => {
    const headers = { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' };
    const path = `/training/tasks/${newTaskId()}/coco?task_type=1`;
    expect(await api.send('PUT', path, { body: '{}', headers })).toMatchObject({
      status: 415,
      body: { code: 41502 },
    });
  });

  const { images, categories, annotations } = aDataSet();
  it.each([
    { images, categories, annotations },
    { annotations, images, categories },
    { annotations, categories, images },
    { categories, info: 1, annotations, licenses: [], images },
  ])('may have its members in any order: %#', async (file) => {
    const [plain, mixed] = [await aTask(), await aTask(file)];
    const [expected, actual] = [await contentOf(api, plain), await contentOf(api, mixed)];
    expect(actual.annotations.map((list) => list.map(({ bbox }) => bbox))).toEqual(
      expected.annotations.map((list) => list.map(({ bbox }) => bbox)),
    );
    expect(actual.images.map(({ img_name }) => img_name)).toEqual(
      expected.images.map(({ img_name }) => img_name),
    );
  });

  it('may begin with a byte order mark, and have white space anywhere', async () => {
    const spaced = JSON.stringify(aDataSet(), null, '\t').replaceAll('\n', '\r\n');
    expect(await put(newTaskId(), `\uFEFF \n${spaced}\n\n`)).toMatchObject({ status: 200 });
  });

  it('may come in chunks of any size', async () => {
    const task = newTaskId();
    const bytes = Buffer.from(JSON.stringify(withFirst('images', { file_name: '𠮷文件.jpg' })));
    const { hostname, port } = new URL(app.url);
    const path = `/training/tasks/${task}/coco?task_type=1`;
    const upload = request({ hostname, port, path, method: 'PUT' });
    for (let at = 0; at < bytes.length; at += 7) upload.write(bytes.subarray(at, at + 7));
    upload.end();
    const [response] = await once(upload, 'response');
    expect(JSON.parse(await text(response))).toMatchObject({ code: 0, images: 3 });
    expect((await contentOf(api, task)).images[0]).toMatchObject({ img_name: '𠮷文件.jpg' });
  });

  it('may be empty of images', async () => {
    const task = newTaskId();
    const { body } = await put(task, { images: [] });
    expect(body).toMatchObject({ images: 0, annotations: 0, label_classes: 0, warnings: [] });
    expect((await api.get(`/training/tasks/${task}`)).body).toMatchObject({ image_count: 0, task_type: 1 });
    // Such a task is empty, so that it can be filled.
    expect(await put(task, aDataSet())).toMatchObject({ status: 200 });
  });

  it('may have images only', async () => {
    const file = { images: aDataSet().images };
    expect((await put(newTaskId(), file)).body).toMatchObject({
      images: 3,
      annotations: 0,
      label_classes: 0,
    });
  });

  it.each([
    ['nothing', '', '1, column 1 (byte 0)'],
    ['white space', ' \n ', '2, column 2 (byte 3)'],
    ['an end too early', '{"images": [{"id": 1', '1, column 21 (byte 20)'],
    ['bare NaN', '{"images":[\n {"id": NaN}]}', '2, column 9 (byte 20)'],
    ['bare Infinity', '{"images":[{"id":1}],\n"x": Infinity}', '2, column 6 (byte 27)'],
    ['bare -Infinity', '{"images":[{"id":-Infinity}]}', '1, column 19 (byte 18)'],
    ['columns of characters', '{"名字𠮷": nul }', '1, column 12 (byte 18)'],
    ['single quotes', "{'images': []}", '1, column 2 (byte 1)'],
    ['a comma at the end', '{"images": [],}', '1, column 15 (byte 14)'],
    ['a second value', '{"images": []} {}', '1, column 16 (byte 15)'],
    ['a comment', '{"images": [] /* none */}', '1, column 15 (byte 14)'],
    ['a raw line end in a text', '{"images": [{"file_name": "a\nb"}]}', '1, column 29 (byte 28)'],
  ])('with %s is no JSON', async (_, file, place) => {
    await expectRefused(file, 40014, new RegExp(`: line ${place.replace(/[()]/g, '\\$&')}$`));
  });

  it('is no JSON when it is not UTF-8', async () => {
    const file = Buffer.concat([
      Buffer.from('{"images": [], "x": "'),
      Buffer.from([0xff]),
      Buffer.from('"}'),
    ]);
    await expectRefused(file, 40014, /byte 21/);
    await expectRefused(Buffer.from(JSON.stringify(aDataSet()), 'utf16le'), 40014, /byte \d/);
  });

  it.each([
    ['[]', /top level/],
    ['null', /top level/],
    ['7', /top level/],
    ['"images"', /top level/],
    ['{}', /no images/],
    ['{"annotations": [], "categories": []}', /no images/],
    ['{"Images": []}', /no images/],
    ['{"images": {}}', /images is no array/],
    ['{"images": null}', /images is no array/],
    ['{"images": [], "annotations": "none"}', /annotations is no array/],
    ['{"images": [], "categories": 0}', /categories is no array/],
    ['{"images": [7]}', /images\[0\] is no object/],
    ['{"images": [], "annotations": [{}, []]}', /annotations\[1\] is no object|UNKNOWN/],
    ['{"images": [], "categories": [null]}', /categories\[0\] is no object/],
    ['{"images": [], "images": []}', /images is there more than once/],
    ['{"images": [], "info": 1, "info": 2}', /info is there more than once/],
  ])('that is %s is no data set', async (file, message) => {
    await expectNoDataSet(file, message);
  });

  it('is told in Chinese where nothing else is asked for', async () => {
    const answer = await api.importCoco(newTaskId(), '{"images": [NaN]}');
    expect(answer.body).toEqual({ code: 40014, msg: '文件不是合法的 JSON：第 1 行第 13 列（字节 12）' });
    const faulty = await api.importCoco(newTaskId(), withFirst('images', { width: 0 }));
    expect(faulty.body).toEqual({
      code: 42202,
      msg: '数据集有 1 处错误：images[0] (id 1)：width 和 height 必须是正整数',
    });
  });
});

describe('the target', () => {
  async function create(members: Record<string, unknown> = {}): Promise<string> {
    const { body, status } = await api.post('/training/tasks', { task_name: 'mine', ...members });
    expect(status).toBe(201);
    return body['task_id'] as string;
  }
  const taskOf = async (id: string) => (await api.get(`/training/tasks/${id}`)).body;

  it('that is absent is created where a type is given, with the name or its id for one', async () => {
    const [named, unnamed] = [newTaskId(), newTaskId()];
    await put(named, aDataSet(), { query: `task_type=3&task_name=${encodeURIComponent('新任务 𠮷')}` });
    await put(unnamed, aDataSet(), { query: 'task_type=2' });
    expect(await taskOf(named)).toMatchObject({
      task_name: '新任务 𠮷',
      task_type: 3,
      image_count: 3,
      task_id_old: null,
    });
    expect(await taskOf(unnamed)).toMatchObject({ task_name: unnamed, task_type: 2, image_count: 3 });
  });

  it('that is absent is a 404 without a type', async () => {
    const before = await app.rowCounts();
    for (const query of ['', 'task_name=x']) {
      const answer = await put(newTaskId(), aDataSet(), { query });
      expect(answer).toMatchObject({ status: 404, body: { code: 40406 } });
    }
    expect(await app.rowCounts()).toEqual(before);
  });

  it('that exists keeps its name and its type', async () => {
    const task = await create({ task_type: 2 });
    await put(task, aDataSet(), { query: 'task_name=other' });
    expect(await taskOf(task)).toMatchObject({ task_name: 'mine', task_type: 2, image_count: 3 });
  });

  it('that exists without a type takes the one that is given, or stays without', async () => {
    const [given, none] = [await create(), await create()];
    await put(given, aDataSet(), { query: 'task_type=3' });
    await put(none, aDataSet(), { query: '' });
    expect(await taskOf(given)).toMatchObject({ task_type: 3 });
    expect(await taskOf(none)).toMatchObject({ task_type: null, image_count: 3 });
  });

  it('of another type is a 409', async () => {
    const task = await create({ task_type: 1 });
    const before = await app.rowCounts();
    const answer = await put(task, aDataSet(), { query: 'task_type=2' });
    expect(answer).toMatchObject({ status: 409, body: { code: 40902 } });
    expect(answer.headers.get('Retry-After')).toBeNull();
    expect(await app.rowCounts()).toEqual(before);
    expect(await put(task, aDataSet(), { query: 'task_type=1' })).toMatchObject({ status: 200 });
  });

  it.each([
    ['images', { images: aDataSet().images }],
    ['a label class', { images: [], categories: [{ id: 1, name: 'x' }] }],
  ])('that holds %s is a 409, and left as it is', async (_, content) => {
    const task = await aTask(content);
    const before = await contentOf(api, task);
    expect(await put(task, aDataSet())).toMatchObject({ status: 409, body: { code: 40906 } });
    expect((await contentOf(api, task)).texts).toEqual(before.texts);
  });

  it.each([
    ['task_type=0', 40008],
    ['task_type=4', 40008],
    ['task_type=01', 40008],
    ['task_type=', 40008],
    ['task_type=1&task_type=1', 40008],
    ['task_name=', 40007],
    [`task_type=1&task_name=${'x'.repeat(201)}`, 40007],
    ['task_type=1&task_name=%00', 40007],
    ['task_type=1&name=x', 40004],
  ])('is asked for in vain by %s', async (query, code) => {
    const before = await app.rowCounts();
    expect(await put(newTaskId(), aDataSet(), { query })).toMatchObject({ status: 400, body: { code } });
    expect(await app.rowCounts()).toEqual(before);
  });

  it('is named by its id', async () => {
    expect(await put('123', aDataSet())).toMatchObject({ status: 400, body: { code: 40005 } });
  });

  it('takes a name of 200 characters that are two code units each', async () => {
    const [task, name] = [newTaskId(), '𠮷'.repeat(200)];
    await put(task, aDataSet(), { query: `task_type=1&task_name=${encodeURIComponent(name)}` });
    expect(await taskOf(task)).toMatchObject({ task_name: name });
  });
});

describe('an image', () => {
  it('keeps what the extension keys say', async () => {
    const task = await aTask({
      images: [
        {
          id: 1,
          file_name: 'b',
          width: 10,
          height: 20,
          set_type: 2,
          state: '已测试',
          roi: [1, 2, 9, 18],
          order_id: 900,
        },
        {
          id: 2,
          file_name: 'a',
          width: 10,
          height: 20,
          set_type: 1,
          state: '已训练',
          roi: null,
          order_id: 7,
        },
        {
          id: 3,
          file_name: 'c',
          width: 10,
          height: 20,
          set_type: 0,
          state: '已标注',
          roi: [0, 0, 10, 20],
          order_id: 2147483647,
        },
      ],
    });
    const { images } = await contentOf(api, task);
    expect(
      images.map(({ img_name, set_type, state, roi, order_id }) => [
        img_name,
        set_type,
        state,
        roi,
        order_id,
      ]),
    ).toEqual([
      ['a', 1, '已训练', null, 7],
      ['b', 2, '已测试', [1, 2, 9, 18], 900],
      ['c', 0, '已标注', [0, 0, 10, 20], 2147483647],
    ]);
    for (const { roi, img_roi_id } of images) expect(img_roi_id === null).toBe(roi === null);
  });

  it('gets defaults: set type 0, no ROI, the place in the file, a state where there are annotations', async () => {
    const dataSet = aDataSet();
    dataSet.annotations = dataSet.annotations.filter(({ image_id }) => image_id === 2);
    const { images } = await contentOf(api, await aTask(dataSet));
    expect(
      images.map(({ set_type, roi, img_roi_id, order_id, state }) => [
        set_type,
        roi,
        img_roi_id,
        order_id,
        state,
      ]),
    ).toEqual([
      [0, null, null, 1, null],
      [0, null, null, 2, '已标注'],
      [0, null, null, 3, null],
    ]);
  });

  it('gets a document where it has annotations or a state, and only there', async () => {
    const dataSet = aDataSet({ images: 4, annotationsEach: 1 });
    dataSet.annotations = dataSet.annotations.filter(({ image_id }) => image_id === 1 || image_id === 3);
    dataSet.images[1]!['state'] = '已训练';
    dataSet.images[2]!['state'] = null; // as if it were absent
    const task = await aTask(dataSet);
    const { images, annotations } = await contentOf(api, task);
    expect(images.map(({ state, mongo_id }) => [state, mongo_id !== null])).toEqual([
      ['已标注', true],
      ['已训练', true],
      ['已标注', true],
      [null, false],
    ]);
    expect(annotations.map(({ length }) => length)).toEqual([1, 0, 1, 0]);
    const [{ documents }] = await app.dataSource.query(
      'SELECT count(*)::int AS documents FROM labeled_image WHERE task_id = $1',
      [task],
    );
    expect(documents).toBe(3);
    for (const { mongo_id } of images) if (mongo_id !== null) expect(mongo_id).toMatch(/^[0-9a-f]{24}$/);
  });

  it.each([
    ['id', ['x'.repeat(1025), '', null, 1.5, true, [], {}, 2 ** 53, 'a\u0000']],
    ['file_name', [undefined, null, '', 7, [], 'x'.repeat(1025), 'a\u0000b']],
    ['width', [undefined, null, 0, -1, 1.5, '640', 2147483648]],
    ['height', [undefined, null, 0, -1, 0.5, '480', 2147483648]],
    ['set_type', [null, 3, -1, 0.5, '0', true]],
    ['state', ['', '未标注', 'annotated', 0, true, []]],
    [
      'roi',
      [
        0,
        'roi',
        {},
        [],
        [0, 0, 640],
        [0, 0, 640, 480, 0],
        [0, 0, 641, 480],
        [0, 1, 640, 480],
        [-1, 0, 10, 10],
        [0, 0, 0, 10],
        [0, 0, 10, 0],
        [0.5, 0, 10, 10],
        [0, 0, 10, -1],
        ['0', 0, 1, 1],
        [640, 0, 1, 1],
        [2147483647, 0, 2147483647, 1],
        [null, 0, 1, 1],
      ],
    ],
    ['order_id', [null, 0, -1, 1.5, '1', 2147483648]],
  ])('with a bad %s is refused by its place', async (member, values) => {
    for (const value of values) {
      const dataSet = aDataSet();
      dataSet.images.forEach((image, at) => (image['order_id'] = at + 1));
      dataSet.images[1]![member] = value;
      if (member === 'id') dataSet.annotations = [];
      const place =
        member === 'id' ? /^.*: images\[1\]: id must/ : new RegExp(`images\\[1\\] \\(id 2\\): .*${member}`);
      await expectFaulty(dataSet, place);
    }
  });

  it('may have an id of many kinds: 0, negative, a text, and 1 is not "1"', async () => {
    const ids = [0, -5, 1, '1', '图 "𠮷"\\\n', 9007199254740991];
    const task = await aTask({
      images: ids.map((id, at) => ({ id, file_name: `${String(at)}.jpg`, width: 5, height: 5 })),
      categories: ids.map((id, at) => ({ id, name: String(at) })),
      annotations: ids.map((id, at) => ({ id, image_id: id, category_id: id, at })),
    });
    const { annotations, classes } = await contentOf(api, task);
    expect(annotations).toEqual(ids.map((_, at) => [{ lab_class_id: classes[at]!.id, at }]));
    expect(classes.map(({ name }) => name)).toEqual(ids.map((_, at) => String(at)));
  });

  it('must have an id of its own', async () => {
    await expectFaulty(withFirst('images', { id: 2 }), /several images have the id 2/);
    await expectFaulty(
      { images: [...aDataSet().images, { ...aDataSet().images[0] }] },
      /\(1\): several images have the id 1/,
    );
  });

  it('has an order_id where the others have one, and one of its own', async () => {
    await expectFaulty(withFirst('images', { order_id: 1 }), /\(2\): images\[1\] \(id 2\): has no order_id/);
    const dataSet = aDataSet();
    dataSet.images.forEach((image) => (image['order_id'] = 5));
    await expectFaulty(dataSet, /several images have the order_id 5/);
  });

  it.each([
    '\\N',
    '\\.',
    'a\tb\nc\rd\u0001\\',
    '\\x41 \\101',
    'NULL',
    '{"a"}',
    "O'Brien",
    ' ',
    '\uFFFD\u{10FFFF}',
  ])('and its class may have the name %j', async (name) => {
    const file = {
      images: [{ id: name, file_name: name, width: 1, height: 1, [name]: name }],
      categories: [{ id: name, name }],
    };
    const { images, classes, exported } = await contentOf(api, await aTask(file));
    expect([images[0]!['img_name'], classes[0]!['name'], exported.images[0]![name]]).toEqual([
      name,
      name,
      name,
    ]);
  });

  it('takes a name of 1024 characters that are two code units each', async () => {
    const name = '𠮷'.repeat(1024);
    const { images } = await contentOf(api, await aTask(withFirst('images', { file_name: name })));
    expect(images[0]).toMatchObject({ img_name: name });
  });
});

describe('a category', () => {
  it('gets a colour of the palette by its place, or its own in lower case', async () => {
    const categories = Array.from({ length: 42 }, (_, id) => ({
      id,
      name: `c${String(id)}`,
      ...(id === 1 && { color: '#AABBcc' }),
    }));
    const { classes } = await contentOf(api, await aTask({ images: [], categories }));
    const colors = classes.map(({ color }) => color);
    expect(colors[1]).toBe('#aabbcc');
    for (const color of colors) expect(color).toMatch(/^#[0-9a-f]{6}$/);
    expect(new Set(colors.slice(0, 20)).size).toBe(20);
    expect(colors.slice(22, 42)).toEqual([colors[2], ...colors.slice(3, 20), colors[20], colors[21]]);
    expect(colors[20]).toBe('#e6194b');
    expect(classes.map(({ order_id }) => order_id)).toEqual(categories.map((_, at) => at + 1));
  });

  it.each([
    ['color', [null, '', 'red', '#fff', '#12345g', '112233', ' #112233', '#1122334', 0xff0000]],
    ['name', [undefined, null, '', 7, 'x'.repeat(201), 'a\u0000']],
    ['id', ['', null, 0.5, {}]],
  ])('with a bad %s is refused by its place', async (member, values) => {
    for (const value of values) {
      const message =
        member === 'id'
          ? /: categories\[0\]: id must/
          : new RegExp(`categories\\[0\\] \\(id 1\\): ${member}`);
      await expectFaulty(withFirst('categories', { [member]: value }), message);
    }
  });

  it('must have an id of its own, and may share its name', async () => {
    await expectFaulty(
      {
        images: [],
        categories: [
          { id: 7, name: 'a' },
          { id: 7, name: 'b' },
        ],
      },
      /several categories have the id 7/,
    );
    const twins = {
      images: [],
      categories: [
        { id: 1, name: 'a' },
        { id: 2, name: 'a' },
      ],
    };
    expect(await warningsOf(twins)).toEqual([
      { code: 'duplicate_category_name', count: 1, examples: ['a'] },
      { code: 'unused_category', count: 2, examples: ['a', 'a'] },
    ]);
  });
});

describe('an annotation', () => {
  const kept = async (members: Record<string, unknown>) => {
    const dataSet = withFirst('annotations', members);
    const task = newTaskId();
    const { status, body, text } = await put(task, dataSet);
    expect({ status, text }).toMatchObject({ status: 200 });
    const [annotation] = (await contentOf(api, task)).annotations[0]!;
    return { annotation, warnings: (body['warnings'] as Warning[]).map(({ code }) => code) };
  };

  it.each([
    [[]],
    [null],
    [[[1, 2, 3, 4, 5, 6]]],
    [
      [
        [0.5, 1e-7, -3, 4, 5, 123456.789],
        [1, 2, 3, 4, 5, 6, 7, 8],
      ],
    ],
    [{ size: [480, 640], counts: [0, 5, 307195] }],
    [{ size: [480, 640], counts: 'PPYo1\\`0"' }],
    [{ counts: [], size: [0, 0], extra: true }],
  ])('keeps a segmentation as it is: %j', async (segmentation) => {
    const { annotation, warnings } = await kept({ segmentation });
    expect(annotation!['segmentation']).toEqual(segmentation);
    expect(warnings).toEqual([]);
  });

  it.each([[[]], [null], [[1, 2, 3, 4]], [[-1.5, -2, 0.25, 1e-9]]])(
    'keeps a box as it is: %j',
    async (bbox) => {
      const { annotation, warnings } = await kept({ bbox });
      expect(annotation!['bbox']).toEqual(bbox);
      expect(warnings).toEqual([]);
    },
  );

  it.each([
    ['zero_size_box', { bbox: [1, 2, 0, 4] }],
    ['zero_size_box', { bbox: [1, 2, 3, -0] }],
    ['short_polygon', { segmentation: [[1, 2, 3, 4]] }],
    ['short_polygon', { segmentation: [[]] }],
    ['odd_polygon', { segmentation: [[1, 2, 3, 4, 5, 6, 7]] }],
  ])('is kept with a warning %s: %j', async (code, members) => {
    const { annotation, warnings } = await kept(members);
    expect(JSON.stringify(annotation)).toContain(JSON.stringify(members).slice(1, -1));
    expect(warnings).toEqual([code]);
  });

  it.each([
    [
      'bbox',
      ['1,2,3,4', 7, {}, [1, 2, 3], [1, 2, 3, 4, 5], [1, 2, 3, null], [1, 2, 3, '4'], [[1, 2, 3, 4]], true],
      /bbox must be four/,
    ],
    [
      'bbox',
      [
        [1, 2, -3, 4],
        [1, 2, 3, -0.5],
      ],
      /bbox has a negative/,
    ],
    [
      'segmentation',
      [
        'PPYo1',
        7,
        true,
        {},
        [1, 2, 3, 4, 5, 6],
        [[1, 2, '3']],
        [[[1, 2]]],
        [null],
        { size: [1, 2] },
        { counts: [1] },
        { size: [1], counts: [1] },
        { size: [1, 2, 3], counts: [1] },
        { size: ['1', 2], counts: [1] },
        { size: [1, 2], counts: [null] },
        { size: [1, 2], counts: 7 },
      ],
      /segmentation must be/,
    ],
    ['image_id', [undefined, null, 99, '1', 1.5, [], {}, ''], /image_id/],
    ['category_id', [undefined, null, 99, '1', -1, true], /category_id/],
  ])('with a bad %s is refused by its place', async (member, values, message) => {
    for (const value of values as unknown[]) {
      await expectFaulty(
        withFirst('annotations', { [member]: value }),
        new RegExp(`\\(1\\): annotations\\[0\\].*${message.source}`),
      );
    }
  });

  it('is kept with an id that is missing, no id at all, or there twice', async () => {
    const dataSet = aDataSet();
    delete dataSet.annotations[0]!['id'];
    Object.assign(dataSet.annotations[1]!, { id: { no: 'id' } });
    Object.assign(dataSet.annotations[2]!, { id: 5 });
    Object.assign(dataSet.annotations[3]!, { id: 0 });
    const { status, body } = await put(newTaskId(), dataSet);
    expect(status).toBe(200);
    expect(body['warnings']).toEqual([
      { code: 'annotation_without_id', count: 2, examples: ['annotations[0]', 'annotations[1]'] },
      { code: 'annotation_id_zero', count: 1, examples: ['annotations[3] (id 0)'] },
      { code: 'duplicate_annotation_id', count: 1, examples: ['5'] },
    ]);
  });

  it('cannot bring a lab_class_id of another data set', async () => {
    const { annotation, warnings } = await kept({ lab_class_id: 777777 });
    expect(annotation!.lab_class_id).not.toBe(777777);
    expect(warnings).toEqual(['reserved_member_left_out']);
  });

  type Annotations = CocoDataSet['annotations'];
  const together = (annotations: Annotations): Annotations =>
    annotations.toSorted((a, b) => Number(a['image_id']) - Number(b['image_id']));

  it.each<[title: string, arrange: (annotations: Annotations) => Annotations]>([
    ['together', together],
    ['scattered', (all) => all],
    ['here and there together', (all) => [...together(all.slice(0, 60)), ...together(all.slice(60))]],
    ['together and large', (all) => together(all).map((one) => ({ ...one, note: 'x'.repeat(5_000) }))],
  ])('stands in the order of the file, with its class: those of an image %s', async (_title, arrange) => {
    const dataSet = aDataSet({ images: 3, classes: 4, annotationsEach: 40 });
    const ids = ['line\nbreak\u2028', 'a "quote", {a} \\', ' ', 7];
    for (const [at, category] of dataSet.categories.entries()) category['id'] = ids[at];
    for (const one of dataSet.annotations) one['category_id'] = ids[Number(one['category_id']) - 1];
    dataSet.annotations = arrange(dataSet.annotations);
    const { classes, annotations } = await contentOf(api, await aTask(dataSet));
    const categories = new Map(classes.map(({ id }, at) => [id, ids[at]]));
    const stored = annotations.map((list) =>
      list.map(({ lab_class_id, bbox }) => [categories.get(lab_class_id), bbox]),
    );
    expect(stored).toEqual(
      [1, 2, 3].map((image) =>
        dataSet.annotations
          .filter(({ image_id }) => image_id === image)
          .map(({ category_id, bbox }) => [category_id, bbox]),
      ),
    );
  });
});

describe('faults', () => {
  it('are counted, and the first five named where they are', async () => {
    const dataSet = aDataSet({ images: 20 });
    for (const image of dataSet.images.slice(3, 12)) image['width'] = -1;
    await expectFaulty(
      dataSet,
      /\(9\): images\[3\] \(id 4\).*; images\[4\].*; images\[5\].*; images\[6\].*; images\[7\] \(id 8\): width[^;]*; …$/,
    );
  });

  it('of what an image lacks are not followed by faults of all that refers to it', async () => {
    await expectFaulty(withoutFirst('images', 'width'), /\(1\): images\[0\] \(id 1\): width/);
    await expectFaulty(withFirst('categories', { color: 'red' }), /\(1\): categories\[0\]/);
  });

  it('of references are counted by annotation, and named by the id that is unknown', async () => {
    const dataSet = aDataSet({ images: 10, annotationsEach: 3 });
    dataSet.images.pop();
    dataSet.categories.shift();
    await expectFaulty(
      dataSet,
      /\(18\): annotations\[9\] \(image_id 10\): .*; annotations\[0\] \(category_id 1\): /,
    );
  });

  it('name a member and an id of any length short', async () => {
    const id = '\u{1F600}'.repeat(500);
    const dataSet = { images: [{ id, file_name: 'x', width: 0, height: 1 }] };
    const { status, body } = await put(newTaskId(), dataSet);
    expect(status).toBe(422);
    expect(String(body['msg']).length).toBeLessThan(300);
    expect(String(body['msg']).isWellFormed()).toBe(true);
  });
});

describe('what the service does not know', () => {
  const unknown = {
    text: '\u2028 "quoted" \\ \t 𠮷',
    number: -0.1234567890123456,
    tiny: 5e-324,
    safe: 9007199254740991,
    nothing: null,
    yes: true,
    list: [[], {}, [null, 'x', { deep: [1] }]],
    '': 'empty name',
    $set: { 'a.b': 1 },
    constructor: 'c',
    lab_class_id_old: 7,
  };

  it('is kept on images, categories and annotations, info and licenses', async () => {
    const dataSet = {
      ...aDataSet(),
      info: { ...unknown },
      licenses: [{ id: 1, name: 'CC', ...unknown }],
    };
    Object.assign(dataSet.images[0]!, unknown);
    Object.assign(dataSet.categories[0]!, unknown);
    Object.assign(dataSet.annotations[0]!, unknown);
    const { exported, annotations } = await contentOf(api, await aTask(dataSet));
    expect(exported.info).toEqual(dataSet.info);
    expect(exported.licenses).toEqual(dataSet.licenses);
    expect(exported.images[0]).toMatchObject(unknown);
    expect(exported.categories[0]).toMatchObject(unknown);
    expect(exported.annotations[0]).toMatchObject(unknown);
    expect(Object.keys(annotations[0]![0]!)).toEqual(['lab_class_id', 'bbox', ...Object.keys(unknown)]);
  });

  it('is kept under the name __proto__', async () => {
    const file = JSON.stringify(aDataSet()).replaceAll('"id":1,', '"id":1,"__proto__":{"polluted":[1]},');
    const { exported } = await contentOf(api, await aTask(file));
    for (const element of [exported.images[0], exported.categories[0], exported.annotations[0]]) {
      expect(Object.getOwnPropertyDescriptor(element, '__proto__')?.value).toEqual({ polluted: [1] });
    }
  });

  it('is left out of the top level, with a warning', async () => {
    const file = {
      ...aDataSet(),
      videos: [{ id: 1 }],
      ['x'.repeat(200)]: { a: [1, { b: 2 }] },
      info: null,
    };
    const [warning, ...others] = await warningsOf(file);
    expect(others).toEqual([]);
    expect(warning).toMatchObject({ code: 'top_level_member_left_out', count: 2 });
    expect(warning!.examples[0]).toBe('videos');
    expect(warning!.examples[1]).toMatch(/^x{80}…$/);
  });
});

describe('dirt', () => {
  it('of a real data set is kept, and each kind counted under its own code', async () => {
    const { dataSet, dirt } = aDirtyDataSet();
    const task = newTaskId();
    const { status, body } = await put(task, dataSet);
    expect(status).toBe(200);
    expect(body).toMatchObject({ images: 60, annotations: 180, label_classes: 10 });
    const warnings = body['warnings'] as Warning[];
    expect(
      warnings.map(({ code, count }) => ({ code, count })).sort((a, b) => (a.code < b.code ? -1 : 1)),
    ).toEqual(dirt);
    for (const { count, examples } of warnings) expect(examples).toHaveLength(Math.min(count, 5));
    const { exported } = await contentOf(api, task);
    expect(exported.annotations).toHaveLength(180);
  });
});

describe('limits', () => {
  const unstorable: [what: string, member: string, message: RegExp][] = [
    ['an integer beyond 2^53', '9007199254740993', /beyond ±2\^53/],
    ['an integer beyond -2^53', '[-9007199254740993]', /beyond ±2\^53/],
    ['a number of 64 bits', '{"a": 9223372036854775807}', /beyond ±2\^53/],
    ['a number that overflows', '1e400', /too large/],
    ['a NUL', '"a\\u0000b"', /NUL/],
    ['a NUL in a name', '{"a\\u0000": 1}', /NUL/],
    ['half a surrogate pair', '"\\ud83d"', /surrogate/],
    ['half a surrogate pair in a name', '{"x\\udc00": 1}', /surrogate/],
  ];
  const places: [array: string, at: RegExp][] = [
    ['images', /images\[0\]/],
    ['categories', /categories\[0\]/],
    ['annotations', /annotations\[0\]/],
  ];

  it.each(unstorable)('refuse %s wherever it stands', async (_, member, message) => {
    for (const [array, at] of places) {
      const file = JSON.stringify(withFirst(array as 'images', { MARK: 0 })).replace(
        '"MARK":0',
        `"odd":${member}`,
      );
      await expectFaulty(file, new RegExp(`\\(1\\): ${at.source}.*${message.source}`));
    }
    const head = `{"images": [], "info": ${member}}`;
    await expectFaulty(head, new RegExp(`\\(1\\): info: .*${message.source}`));
  });

  it('take 100 levels of a document and refuse 101', async () => {
    // A document, its list and an annotation are three of them; the members of an image are kept as a document of their own.
    for (const [array, levels] of [
      ['annotations', 97],
      ['images', 99],
      ['categories', 99],
    ] as const) {
      const task = await aTask(withFirst(array, { deep: nested(levels) }));
      expect((await contentOf(api, task)).exported[array][0]).toMatchObject({ deep: nested(levels) });
      await expectFaulty(withFirst(array, { deep: nested(levels + 1) }), /100 levels/);
    }
    await expectFaulty({ images: [], info: nested(101) }, /info.*100 levels/);
    await expectNoDataSet(
      `{"images": [{"id": 1, "deep": ${'['.repeat(5000)}${']'.repeat(5000)}}]}`,
      /nested too deep/,
    );
  });

  it('take a document of just 15 MB as BSON and refuse a larger one, naming the image', async () => {
    // As BSON a coordinate takes 6 bytes and the digits of its index: a file of 2.4 MB becomes a document of 15.
    const coordinates = (count: number) => ({ segmentation: [new Array<number>(count).fill(1)] });
    let [count, bytes] = [0, 1000];
    while (bytes < 15 * 2 ** 20) bytes += 6 + String(count++).length;
    expect(calculateObjectSize(coordinates(count))).toBeGreaterThan(15 * 2 ** 20 - 1000);
    const task = await aTask(withFirst('annotations', coordinates(count)));
    const { annotations } = await contentOf(api, task);
    expect(annotations[0]![0]).toMatchObject(coordinates(count));
    await expectFaulty(
      withFirst('annotations', coordinates(count + 100)),
      /image 1 \(image-1\.jpg\): the annotations are over 15 MB/,
    );
  });

  it('add up the annotations of an image', async () => {
    const dataSet = aDataSet({ images: 2, annotationsEach: 4 });
    for (const annotation of dataSet.annotations) {
      if (annotation['image_id'] === 2) annotation['text'] = 'x'.repeat(4 * 2 ** 20);
    }
    await expectFaulty(dataSet, /\(1\): image 2 \(image-2\.jpg\)/);
    dataSet.annotations.pop();
    expect(await put(newTaskId(), dataSet)).toMatchObject({ status: 200 });
  });
});

describe('an upload', () => {
  let small: TestApp;
  beforeAll(async () => {
    small = await TestApp.start({ MAX_IMPORT_BYTES: '1000' });
  });
  afterAll(() => small.stop());

  const path = () => `/training/tasks/${newTaskId()}/coco?task_type=1`;
  const fileOf = (bytes: number) => '{"images": []}'.padEnd(bytes, ' ');

  it('of just MAX_IMPORT_BYTES is taken', async () => {
    expect(await small.api.send('PUT', path(), { body: Buffer.from(fileOf(1000)) })).toMatchObject({
      status: 200,
    });
    expect(await small.api.send('PUT', path(), { body: Buffer.from(fileOf(1001)) })).toMatchObject({
      status: 413,
      body: { code: 41301, msg: '请求体超过 1000 字节' },
    });
  });

  it('that announces more is refused before a byte of it comes', async () => {
    const { hostname, port } = new URL(small.url);
    const headers = { 'Content-Length': '5000000000' };
    const upload = request({ hostname, port, path: path(), method: 'PUT', headers });
    upload.flushHeaders();
    const [response] = await once(upload, 'response');
    expect(response.statusCode).toBe(413);
    upload.destroy();
  });

  it.each(['close', 'keep-alive'])(
    'that turns out to be more is refused as well, and the answer arrives at a client that sends all before it reads (%s)',
    async (connection) => {
      const { hostname, port } = new URL(small.url);
      const socket = connect(Number(port), hostname);
      socket.write(
        `PUT ${path()} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: ${connection}\r\n\r\n`,
      );
      const chunk = `100000\r\n${' '.repeat(0x100000)}\r\n`;
      for (let sent = 0; sent < 20; sent++) if (!socket.write(chunk)) await once(socket, 'drain');
      socket.end('0\r\n\r\n');
      const answer = await text(socket);
      expect(answer).toMatch(/^HTTP\/1\.1 413 /);
      expect(answer).toContain('"code":41301');
    },
  );

  it('of a type that is refused is read to its end as well', async () => {
    const { hostname, port } = new URL(small.url);
    const socket = connect(Number(port), hostname);
    const head = [
      `PUT ${path()} HTTP/1.1`,
      'Host: x',
      'Content-Type: text/csv',
      'Content-Length: 20000000',
      'Connection: close',
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n`);
    socket.end(Buffer.alloc(20_000_000, 32));
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 415 /);
  });

  it('that breaks off imports nothing', async () => {
    const before = await app.rowCounts();
    const body = JSON.stringify(aDataSet());
    const { hostname, port } = new URL(app.url);
    const socket = connect(Number(port), hostname);
    socket.write(
      `PUT ${path()} HTTP/1.1\r\nHost: x\r\nContent-Length: ${String(body.length + 1)}\r\n\r\n${body}`,
    );
    await eventually('the upload is being spooled', () => openUploads().length === 1);
    socket.destroy();
    await eventually('nothing of the upload is left', () => openUploads().length === 0);
    expect(await app.rowCounts()).toEqual(before);
  });
});

describe('imports at the same time', () => {
  it('into one target: one fills it, the other finds it full', async () => {
    const task = newTaskId();
    const answers = await Promise.all([
      put(task, aDataSet({ images: 5 })),
      put(task, aDataSet({ images: 6 })),
    ]);
    const [won, lost] = answers.sort((a, b) => a.status - b.status);
    expect([won.status, lost.status, lost.body['code']]).toEqual([200, 409, 40906]);
    expect((await api.get(`/training/tasks/${task}`)).body['image_count']).toBe(won.body['images']);
  });

  it('into many targets all succeed', async () => {
    const tasks = Array.from({ length: 12 }, newTaskId);
    const answers = await Promise.all(tasks.map((task) => put(task, aDataSet())));
    expect(answers.map(({ status }) => status)).toEqual(tasks.map(() => 200));
  });

  it('wait while somebody fills the target, and then look at it', async () => {
    const task = newTaskId();
    const importing = await inOtherSession(app, async (session) => {
      await session.query('SELECT pg_advisory_lock($1)', [task]);
      let isAnswered = false;
      const answer = put(task, aDataSet()).finally(() => (isAnswered = true));
      // What comes after it has been answered, so that it would have been, too.
      await aTask();
      await aTask();
      expect(isAnswered).toBe(false);
      await session.query(`INSERT INTO task (task_id, name) VALUES ($1, 'filled')`, [task]);
      await session.query(
        `INSERT INTO label_class (task_id, name, color, order_id) VALUES ($1, 'x', '#000000', 1)`,
        [task],
      );
      return { answer };
    });
    expect(await importing.answer).toMatchObject({ status: 409, body: { code: 40906 } });
  });

  it('go through while other tasks are copied and read', async () => {
    const source = await aTask(aDataSet({ images: 30 }));
    const answers = await Promise.all([
      api.duplicate(source, newTaskId()),
      put(newTaskId(), aDataSet()),
      api.get(`/training/tasks/${source}/coco`),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  });
});
