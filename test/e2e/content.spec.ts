import { SAMPLE_TASK_ID, sampleDataSet } from '../../src/sample/sample-data-set';
import { newTaskId } from '../support/api';
import { aDataSet, type CocoDataSet } from '../support/data-set';
import { TestApp } from '../support/test-app';

const IMAGE_MEMBERS = [
  'set_type',
  'img_name',
  'img_id',
  'width',
  'height',
  'state',
  'order_id',
  'mongo_id',
  'img_roi_id',
  'roi',
];
const ID = expect.stringMatching(/^[1-9]\d{18}$/) as string;
const MONGO_ID = expect.stringMatching(/^[0-9a-f]{24}$/) as string;

interface Image {
  readonly img_id: string;
  readonly img_name: string;
  readonly order_id: number;
  readonly state: string | null;
  readonly mongo_id: string | null;
}

let app: TestApp;

beforeAll(async () => {
  app = await TestApp.start();
});
afterAll(() => app.stop());

async function aTask(dataSet: object = aDataSet()): Promise<string> {
  const id = newTaskId();
  const { status, text } = await app.api.importCoco(id, dataSet);
  if (status !== 200) throw new Error(text);
  return id;
}

async function anEmptyTask(): Promise<string> {
  const id = newTaskId();
  await app.api.post('/training/tasks', { task_id: id, task_name: 'empty' });
  return id;
}

async function imagesOf(task: string, query = ''): Promise<{ images: Image[]; next: string | null }> {
  const { body } = await app.api.get(`/training/tasks/${task}/images${query}`);
  return { images: body['image_list'] as Image[], next: body['next_cursor'] as string | null };
}

async function classesOf(task: string): Promise<{ id: number; name: string }[]> {
  return (await app.api.get(`/training/tasks/${task}/label-classes`)).body['lab_class_list'] as never;
}

function annotationsOf(task: string, image: string) {
  return app.api.get(`/training/tasks/${task}/images/${image}/annotations`);
}

describe('the images of a task', () => {
  it('have exactly the members of the contract, in their order', async () => {
    const images = [
      {
        id: 1,
        file_name: 'a.jpg',
        width: 640,
        height: 480,
        set_type: 2,
        roi: [1, 2, 3, 4],
        state: '已测试',
        order_id: 7,
      },
      { id: 2, file_name: '子/b.jpg', width: 1, height: 1, order_id: 3, camera: 'left' },
    ];
    const task = await aTask({ images });
    const { status, body } = await app.api.get(`/training/tasks/${task}/images`);
    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual(['code', 'msg', 'image_list', 'next_cursor']);
    for (const image of body['image_list'] as object[]) expect(Object.keys(image)).toEqual(IMAGE_MEMBERS);
    expect(body).toEqual({
      code: 0,
      msg: '成功',
      image_list: [
        {
          set_type: 0,
          img_name: '子/b.jpg',
          img_id: ID,
          width: 1,
          height: 1,
          state: null,
          order_id: 3,
          mongo_id: null,
          img_roi_id: null,
          roi: null,
        },
        {
          set_type: 2,
          img_name: 'a.jpg',
          img_id: ID,
          width: 640,
          height: 480,
          state: '已测试',
          order_id: 7,
          mongo_id: MONGO_ID,
          img_roi_id: ID,
          roi: [1, 2, 3, 4],
        },
      ],
      next_cursor: null,
    });
  });

  it('have ids of their own, that no ROI and no other task has', async () => {
    const dataSet = { images: aDataSet().images.map((image) => ({ ...image, roi: [0, 0, 1, 1] })) };
    const pages = await Promise.all(
      [aTask(dataSet), aTask(dataSet)].map(async (task) => imagesOf(await task)),
    );
    const ids = pages.flatMap(({ images }) =>
      images.flatMap((image) => [image.img_id, Object(image).img_roi_id as string]),
    );
    expect(new Set(ids).size).toBe(12);
  });

  it('come page by page, by order_id, without loss or doubles', async () => {
    await app.api.importCoco(SAMPLE_TASK_ID, sampleDataSet());
    const whole = await imagesOf(SAMPLE_TASK_ID);
    expect(whole.images).toHaveLength(36);
    const seen: Image[] = [];
    for (let query = '?limit=7'; query !== '';) {
      const { images, next } = await imagesOf(SAMPLE_TASK_ID, query);
      seen.push(...images);
      query = next === null ? '' : `?limit=7&cursor=${next}`;
    }
    expect(seen).toEqual(whole.images);
    const orders = seen.map(({ order_id }) => order_id);
    expect(orders).toEqual([...orders].sort((a, b) => a - b));
  });

  it('are a hundred where no limit is given, and at most as many as asked for', async () => {
    const task = await aTask(aDataSet({ images: 103, annotationsEach: 0 }));
    const page = await imagesOf(task);
    expect(page.images).toHaveLength(100);
    expect((await imagesOf(task, `?cursor=${page.next!}`)).images.map(({ order_id }) => order_id)).toEqual([
      101, 102, 103,
    ]);
    expect(await imagesOf(task, '?limit=103')).toMatchObject({ next: null });
    expect((await imagesOf(task, '?limit=1000')).images).toHaveLength(103);
    expect((await imagesOf(task, '?limit=1')).images).toHaveLength(1);
  });

  it('of an empty task are none', async () => {
    expect((await app.api.get(`/training/tasks/${await anEmptyTask()}/images`)).text).toBe(
      '{"code":0,"msg":"成功","image_list":[],"next_cursor":null}',
    );
  });
});

describe('the label classes of a task', () => {
  it('have exactly the members of the contract, in the order of the file', async () => {
    const task = await aTask({
      images: aDataSet().images,
      categories: [
        { id: 9, name: 'zwei', color: '#AABBCC' },
        { id: 0, name: '一', supercategory: 'x' },
      ],
    });
    const { status, body } = await app.api.get(`/training/tasks/${task}/label-classes`);
    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual(['code', 'msg', 'lab_class_list']);
    const list = body['lab_class_list'] as object[];
    for (const item of list) expect(Object.keys(item)).toEqual(['id', 'name', 'color', 'order_id']);
    expect(list).toEqual([
      { id: expect.any(Number), name: 'zwei', color: '#aabbcc', order_id: 1 },
      { id: expect.any(Number), name: '一', color: expect.stringMatching(/^#[0-9a-f]{6}$/), order_id: 2 },
    ]);
  });

  it('of an empty task are none', async () => {
    expect((await app.api.get(`/training/tasks/${await anEmptyTask()}/label-classes`)).text).toBe(
      '{"code":0,"msg":"成功","lab_class_list":[]}',
    );
  });
});

describe('the annotations of an image', () => {
  const DATA_SET: CocoDataSet = {
    images: [1, 2, 3, 4].map((id) => ({
      id,
      file_name: `${String(id)}.jpg`,
      width: 100,
      height: 100,
      ...(id === 3 && { state: '已标注' }),
    })),
    categories: [
      { id: 1, name: 'first' },
      { id: 2, name: 'second' },
    ],
    annotations: [
      { id: 7, image_id: 1, category_id: 2, bbox: [1, 2, 3.5, 4], z: null, a: { b: ['深'] }, area: 14 },
      { id: 8, image_id: 2, category_id: 1, segmentation: { size: [100, 100], counts: 'abc' }, iscrowd: 1 },
      { id: 9, image_id: 1, category_id: 1, segmentation: [[0, 0, 9, 0, 9, 9]], bbox: [] },
    ],
  };

  it('are those of the file, in its order, with the class first and every unknown member kept', async () => {
    const task = await aTask(DATA_SET);
    const { images } = await imagesOf(task);
    const [first, second] = await classesOf(task);
    const { status, body, text } = await annotationsOf(task, images[0]!.img_id);
    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual(['code', 'msg', 'mongo_id', 'annotations']);
    expect(body).toMatchObject({ code: 0, msg: '成功', mongo_id: images[0]?.mongo_id });
    expect(text.slice(text.indexOf('[{'))).toBe(
      `[{"lab_class_id":${String(second?.id)},"bbox":[1,2,3.5,4],"z":null,"a":{"b":["深"]},"area":14},` +
        `{"lab_class_id":${String(first?.id)},"segmentation":[[0,0,9,0,9,9]],"bbox":[]}]}`,
    );
  });

  it('of an image that was looked at, and where there was nothing, are an empty document', async () => {
    const task = await aTask(DATA_SET);
    const image = (await imagesOf(task)).images[2]!;
    expect(image).toMatchObject({ state: '已标注', mongo_id: MONGO_ID });
    expect((await annotationsOf(task, image.img_id)).body).toMatchObject({
      mongo_id: image.mongo_id,
      annotations: [],
    });
  });

  it('of an image that nobody has annotated are none, and no document', async () => {
    const task = await aTask(DATA_SET);
    const image = (await imagesOf(task)).images[3]!;
    expect(image).toMatchObject({ state: null, mongo_id: null });
    expect((await annotationsOf(task, image.img_id)).text).toBe(
      '{"code":0,"msg":"成功","mongo_id":null,"annotations":[]}',
    );
  });

  it('are found by the documents of their own task only', async () => {
    const [task, other] = [await aTask(DATA_SET), await aTask(DATA_SET)];
    const image = (await imagesOf(other)).images[0]!;
    expect(await annotationsOf(task, image.img_id)).toMatchObject({
      status: 404,
      text: `{"code":40403,"msg":"任务 ${task} 中没有图片 ${image.img_id}"}`,
    });
    expect((await annotationsOf(other, image.img_id)).status).toBe(200);
  });

  it('of an image that is nowhere are a 404 that names it', async () => {
    const task = await aTask(DATA_SET);
    expect(await annotationsOf(task, '9223372036854775807')).toMatchObject({
      status: 404,
      body: { code: 40403 },
    });
    // The id of a task is none of an image.
    expect(await annotationsOf(task, task)).toMatchObject({ status: 404, body: { code: 40403 } });
  });
});

describe('the content of a task that does not exist', () => {
  it.each([
    'images',
    'label-classes',
    'images/2018080810000000001/annotations',
    'coco',
    'duplication',
    'duplication/maps',
  ])('%s: 404', async (what) => {
    const id = newTaskId();
    expect(await app.api.get(`/training/tasks/${id}/${what}`)).toMatchObject({
      status: 404,
      text: `{"code":40402,"msg":"任务 ${id} 不存在"}`,
    });
  });
});
