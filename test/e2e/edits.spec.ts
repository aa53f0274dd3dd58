import type { ErrorName } from '../../src/errors/errors';
import { LabeledImageRepository } from '../../src/labeled-images/labeled-image.repository';
import { Sweeper } from '../../src/tasks/sweeper';
import { newTaskId, type Answer, type Api } from '../support/api';
import { aDataSet } from '../support/data-set';
import { aDirtyDataSet } from '../support/dirty-data-set';
import { describeInEachMode } from '../support/document-mode';
import { eventually } from '../support/eventually';
import { expectFailure } from '../support/failure';
import { garbageOf } from '../support/garbage';
import { isSomebodyWaiting, whileCopied } from '../support/held-copy';
import { inOtherSession } from '../support/other-session';
import { sendPlain } from '../support/plain-request';
import { contentOf, type ListedImage } from '../support/task-content';
import { TestApp } from '../support/test-app';

const MB = 2 ** 20;
const MONGO_ID = expect.stringMatching(/^[0-9a-f]{24}$/) as string;
const NOBODYS_ID = 'ffffffffffffffffffffffff';

/** Four images: two that are annotated, one that was looked at, one that nobody has seen. */
const DATA_SET = {
  images: [
    { id: 1, file_name: '1.jpg', width: 640, height: 480, roi: [10, 20, 30, 40] },
    { id: 2, file_name: '2.jpg', width: 640, height: 480, state: '已训练' },
    { id: 3, file_name: '3.jpg', width: 640, height: 480, state: '已测试' },
    { id: 4, file_name: '4.jpg', width: 640, height: 480 },
  ],
  categories: [
    { id: 1, name: 'first' },
    { id: 2, name: 'second' },
  ],
  annotations: [
    { id: 1, image_id: 1, category_id: 1, bbox: [1, 2, 3, 4] },
    { id: 2, image_id: 1, category_id: 2, bbox: [5, 6, 7, 8] },
    { id: 3, image_id: 2, category_id: 2, bbox: [9, 10, 11, 12] },
  ],
};

interface Task {
  readonly id: string;
  readonly images: readonly ListedImage[];
  readonly classes: readonly number[];
}

async function aTask(api: Api, dataSet: object = DATA_SET): Promise<Task> {
  const id = newTaskId();
  const { status, text } = await api.importCoco(id, dataSet);
  if (status !== 200) throw new Error(text);
  const { images, classes } = await contentOf(api, id);
  return { id, images, classes: classes.map((labelClass) => labelClass.id) };
}

function pathOf(task: string, image: string): string {
  return `/training/tasks/${task}/images/${image}/annotations`;
}

describeInEachMode('replacing the annotations of an image', (documents) => {
  let app: TestApp;
  let api: Api;

  beforeAll(async () => {
    app = await TestApp.start({ SWEEP_KEEP_S: '0' }, { documents });
    api = app.api;
  });
  afterAll(() => app.stop());

  const put = (task: string, image: string, body: unknown) => api.put(pathOf(task, image), body);

  async function imageOf(task: string, image: string): Promise<ListedImage | undefined> {
    return (await contentOf(api, task)).images.find(({ img_id }) => img_id === image);
  }

  function find(task: string, mongoId: string): Promise<unknown> {
    return app.app.get(LabeledImageRepository).find(app.dataSource.manager, task, mongoId);
  }

  describe('that are there', () => {
    it('makes a new document, and answers what a GET then answers', async () => {
      const { id, images, classes } = await aTask(api);
      const image = images[0]!;
      const annotations = [{ lab_class_id: classes[1], bbox: [0, 0, 1, 1.5] }];
      const answer = await put(id, image.img_id, { annotations, mongo_id: image.mongo_id });
      expect(answer.status).toBe(200);
      expect(Object.keys(answer.body)).toEqual(['code', 'msg', 'mongo_id', 'annotations']);
      expect(answer.body).toEqual({ code: 0, msg: '成功', mongo_id: MONGO_ID, annotations });
      expect(String(answer.body['mongo_id']) > String(image.mongo_id)).toBe(true);
      expect((await api.get(pathOf(id, image.img_id))).text).toBe(answer.text);
      expect(await imageOf(id, image.img_id)).toEqual({ ...image, mongo_id: answer.body['mongo_id'] });
    });

    it('leaves all other images as they are', async () => {
      const { id, images } = await aTask(api);
      const before = await contentOf(api, id);
      await put(id, images[0]!.img_id, { annotations: [] });
      const after = await contentOf(api, id);
      expect(after.images.slice(1)).toEqual(before.images.slice(1));
      expect(after.annotations.slice(1)).toEqual(before.annotations.slice(1));
      expect(after.task).toEqual(before.task);
    });

    it('records the old document, which is then swept, and no other', async () => {
      const { id, images, classes } = await aTask(api);
      const [image, other] = [images[0]!, images[1]!];
      const annotations = [{ lab_class_id: classes[0]! }];
      const { body } = await put(id, image.img_id, { annotations });
      const old = String(image.mongo_id);
      expect(await garbageOf(app, id)).toEqual([
        { reason: 'replaced', firstId: old, lastId: old, failed: false },
      ]);
      await app.app.get(Sweeper).sweep();
      expect(await garbageOf(app, id)).toEqual([]);
      expect(await find(id, old)).toBeNull();
      expect(await find(id, String(body['mongo_id']))).toEqual(annotations);
      expect(await find(id, String(other.mongo_id))).toHaveLength(1);
    });

    it('is seen by an export, and by copies made later, but not by those made before', async () => {
      const { id, images, classes } = await aTask(api);
      const [before, after] = [newTaskId(), newTaskId()];
      await api.duplicate(id, before);
      const annotations = [{ lab_class_id: classes[1], bbox: [7, 7, 7, 7], note: '新' }];
      await put(id, images[0]!.img_id, { annotations });
      await api.duplicate(id, after);
      const exported = (await contentOf(api, id)).exported;
      expect(exported.annotations.filter(({ image_id }) => image_id === 1)).toEqual([
        { id: 1, image_id: 1, category_id: classes[1], bbox: [7, 7, 7, 7], note: '新' },
      ]);
      expect((await contentOf(api, before)).annotations[0]).toHaveLength(2);
      expect((await contentOf(api, after)).annotations[0]).toMatchObject([
        { bbox: [7, 7, 7, 7], note: '新' },
      ]);
    });

    it('can be done to a copy, and again and again', async () => {
      const { id } = await aTask(api);
      const copy = newTaskId();
      await api.duplicate(id, copy);
      const source = await contentOf(api, id);
      const { images, classes } = await contentOf(api, copy);
      const seen = new Set<unknown>([images[0]!.mongo_id]);
      for (let times = 1; times <= 3; times++) {
        const annotations = [{ lab_class_id: classes[0]!.id, times }];
        const { status, body } = await put(copy, images[0]!.img_id, {
          annotations,
          mongo_id: [...seen].at(-1),
        });
        expect({ status, annotations: body['annotations'] }).toEqual({ status: 200, annotations });
        seen.add(body['mongo_id']);
      }
      expect(seen.size).toBe(4);
      expect((await contentOf(api, id)).texts).toEqual(source.texts);
    });
  });

  describe('where there were none', () => {
    it('makes an annotated image of one that nobody has seen', async () => {
      const { id, images } = await aTask(api);
      const image = images[3]!;
      expect(image).toMatchObject({ mongo_id: null, state: null });
      const { status, body } = await put(id, image.img_id, { annotations: [], mongo_id: null });
      expect({ status, ...body }).toMatchObject({ status: 200, mongo_id: MONGO_ID, annotations: [] });
      expect(await imageOf(id, image.img_id)).toEqual({
        ...image,
        mongo_id: body['mongo_id'],
        state: '已标注',
      });
      expect(await garbageOf(app, id)).toEqual([]);
    });

    it('keeps every other state', async () => {
      const { id, images } = await aTask(api);
      for (const image of images) await put(id, image.img_id, { annotations: [] });
      expect((await contentOf(api, id)).images.map(({ state }) => state)).toEqual([
        '已标注',
        '已训练',
        '已测试',
        '已标注',
      ]);
    });
  });

  describe('takes', () => {
    it.each<[what: string, member: string]>([
      ['no box and no segmentation', '"note":"x"'],
      ['null for both', '"bbox":null,"segmentation":null'],
      ['empty ones', '"bbox":[],"segmentation":[]'],
      ['a box without area', '"bbox":[1,2,0,0]'],
      ['a box beyond the image', '"bbox":[-3.5,1e-7,1000000000,0.25]'],
      ['polygons that are odd, short or empty', '"segmentation":[[1,2,3,4,5],[1,2],[]]'],
      ['run lengths', '"segmentation":{"size":[480,640],"counts":[0,5,307195],"tool":"x"}'],
      ['compressed run lengths', '"segmentation":{"size":[480,640],"counts":"PPYo1\\\\`0\\""}'],
      ['members in their order', '"z":1,"bbox":[1,2,3,4],"a":{"y":[],"b":{}},"":null'],
      ['names that mean something to JavaScript', '"__proto__":{"a":1},"constructor":null,"toJSON":"x"'],
      ['the names of a file', '"id":7,"image_id":8,"category_id":9,"iscrowd":0'],
      ['large and small numbers', '"n":[9007199254740991,-9007199254740991,5e-324,0.1,1.5e-9]'],
      ['any text', '"t":"\\u0001 \\n 𠮷 😀 \u2028 ﷽"'],
    ])('%s, and keeps it', async (_, member) => {
      const { id, images, classes } = await aTask(api);
      const annotation = `{"lab_class_id":${String(classes[0])},${member}}`;
      const sent = await sendPlain(app.url, {
        method: 'PUT',
        path: pathOf(id, images[3]!.img_id),
        headers: { 'Content-Type': 'application/json' },
        body: `{"annotations":[${annotation}]}`,
      });
      const answer = await api.get(pathOf(id, images[3]!.img_id));
      expect(sent).toMatchObject({ status: 200, text: answer.text });
      const text = answer.text.slice(answer.text.indexOf('[{') + 1, -2);
      expect(text).toBe(JSON.stringify(JSON.parse(annotation)));
    });

    it('what a GET gave, of the dirtiest data set, and makes the same of it', async () => {
      const { id, images } = await aTask(api, aDirtyDataSet(24).dataSet);
      const before = await contentOf(api, id);
      for (const { img_id } of images) {
        const { mongo_id, annotations } = (await api.get(pathOf(id, img_id))).body;
        expect(await put(id, img_id, { mongo_id, annotations })).toMatchObject({ status: 200 });
      }
      const after = await contentOf(api, id);
      expect(after.annotations).toEqual(before.annotations);
      expect(JSON.stringify(after.exported)).toBe(JSON.stringify(before.exported));
      // And an import takes what the PUT took.
      expect(await api.importCoco(newTaskId(), after.exported)).toMatchObject({ status: 200 });
    });

    it('100 levels, counted from the document', async () => {
      const { id, images, classes } = await aTask(api);
      const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);
      const edit = (levels: number) =>
        put(id, images[0]!.img_id, { annotations: [{ lab_class_id: classes[0], deep: deep(levels) }] });
      expect((await edit(97)).status).toBe(200);
      const answer = await edit(98);
      expect({ status: answer.status, code: answer.body['code'] }).toEqual({ status: 400, code: 40024 });
      expect((await api.get(pathOf(id, images[0]!.img_id))).status).toBe(200);
    });

    it('a mongo_id in capitals, and any class of the task', async () => {
      const { id, images, classes } = await aTask(api);
      const mongo_id = String(images[0]!.mongo_id).toUpperCase();
      const annotations = classes.map((lab_class_id) => ({ lab_class_id }));
      expect(await put(id, images[0]!.img_id, { annotations, mongo_id })).toMatchObject({ status: 200 });
    });

    it('almost 15 MB', async () => {
      const { id, images, classes } = await aTask(api);
      const annotations = [{ lab_class_id: classes[0], text: 'x'.repeat(15 * MB - 300) }];
      const { status, text } = await put(id, images[0]!.img_id, { annotations });
      expect(status).toBe(200);
      expect((await api.get(pathOf(id, images[0]!.img_id))).text).toBe(text);
    });
  });

  describe('at the same time', () => {
    it('by several who have seen the same document: exactly one wins', async () => {
      const { id, images } = await aTask(api);
      for (const { img_id, mongo_id } of images) {
        const answers = await Promise.all(
          Array.from({ length: 12 }, () => put(id, img_id, { annotations: [], mongo_id })),
        );
        const winners = answers.filter(({ status }) => status === 200);
        expect(winners).toHaveLength(1);
        expect((await imageOf(id, img_id))?.mongo_id).toBe(winners[0]?.body['mongo_id']);
        for (const { body } of answers.filter((answer) => answer !== winners[0])) {
          expect(body).toMatchObject({ code: 40907 });
          expect(body['msg']).toContain(String(winners[0]?.body['mongo_id']));
        }
      }
    });

    it('by several who do not mind: all are done, one after the other, and each replaces another document', async () => {
      const { id, images } = await aTask(api);
      const { img_id, mongo_id } = images[1]!;
      const answers = await Promise.all(
        Array.from({ length: 15 }, () => put(id, img_id, { annotations: [] })),
      );
      expect(answers.map(({ status }) => status)).toEqual(Array(15).fill(200));
      const written = answers.map(({ body }) => String(body['mongo_id']));
      const last = (await imageOf(id, img_id))?.mongo_id;
      const replaced = (await garbageOf(app, id)).map(({ firstId }) => firstId);
      expect(replaced.sort()).toEqual([mongo_id, ...written].filter((one) => one !== last).sort());
    });

    it('of two hundred images goes through', async () => {
      const { id, images, classes } = await aTask(api, aDataSet({ images: 200 }));
      const answers = await Promise.all(
        images.map(({ img_id, mongo_id, order_id }) =>
          put(id, img_id, { annotations: [{ lab_class_id: classes[0], order_id }], mongo_id }),
        ),
      );
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      const { annotations } = await contentOf(api, id);
      expect(annotations.map(([annotation]) => annotation?.['order_id'])).toEqual(
        images.map(({ order_id }) => order_id),
      );
      expect((await garbageOf(app, id)).map(({ reason }) => reason)).toEqual(Array(200).fill('replaced'));
    });

    it('as the task is copied goes through at once, and the copy has what was there before', async () => {
      const { id, images, classes } = await aTask(api);
      const before = await contentOf(api, id);
      const { target, answer } = await whileCopied(app, id, async () => {
        const annotations = [{ lab_class_id: classes[0], note: 'new' }];
        expect((await put(id, images[0]!.img_id, { annotations })).status).toBe(200);
        // Nor does the sweeper take from the copy what it still has to read.
        await app.app.get(Sweeper).sweep();
      });
      expect(answer.status).toBe(200);
      const shapes = (annotations: readonly (readonly object[])[]) =>
        annotations.map((list) => list.map((annotation) => ({ ...annotation, lab_class_id: 0 })));
      expect(shapes((await contentOf(api, target)).annotations)).toEqual(shapes(before.annotations));
      expect((await contentOf(api, id)).annotations[0]).toMatchObject([{ note: 'new' }]);
    });

    it('of one image, by more than there are connections, keeps none of them from others', async () => {
      const { id, images } = await aTask(api);
      const image = images[0]!.img_id;
      const edits = await inOtherSession(app, async (session) => {
        await session.query('BEGIN');
        await session.query('SELECT FROM image WHERE id = $1 FOR UPDATE', [image]);
        const waiting = Array.from({ length: 30 }, () => put(id, image, { annotations: [] }));
        await eventually('an edit waits for the row', () => isSomebodyWaiting(app));
        const startedAt = Date.now();
        for (let times = 0; times < 10; times++) expect((await api.get(pathOf(id, image))).status).toBe(200);
        expect((await put(id, images[1]!.img_id, { annotations: [] })).status).toBe(200);
        expect(Date.now() - startedAt).toBeLessThan(3_000);
        return { waiting };
      });
      const answers = await Promise.all(edits.waiting);
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    });
  });

  describe('is refused, and changes nothing,', () => {
    let task: Task;
    let other: Task;
    let before: unknown;

    beforeAll(async () => {
      [task, other] = [await aTask(api), await aTask(api)];
    });
    beforeEach(async () => {
      before = await traces();
    });
    afterEach(async () => expect(await traces()).toEqual(before));

    async function traces(): Promise<unknown> {
      const counter = await app.dataSource.query<unknown[]>('SELECT last_number FROM id_counter');
      return [counter, await app.rowCounts(), await garbageOf(app, task.id), await contentOf(api, task.id)];
    }

    async function expectRefused(
      body: string | object,
      error: ErrorName,
      details: Record<string, string | number> = {},
      path = pathOf(task.id, task.images[0]!.img_id),
    ): Promise<void> {
      for (const language of ['zh', 'en'] as const) {
        const answer = await sendPlain(app.url, {
          method: 'PUT',
          path,
          headers: { 'Content-Type': 'application/json', 'Accept-Language': language },
          body: typeof body === 'string' ? body : JSON.stringify(body),
        });
        expectFailure(answer, error, language, details);
      }
    }

    /** As the third of three annotations; `@` stands for a class of the task. */
    function third(annotation: string): string {
      const json = (text: string) => text.replaceAll('@', String(task.classes[0]));
      const good = '{"lab_class_id":@,"bbox":[1,2,3,4]}';
      return json(`{"annotations":[${good},${good},${annotation}]}`);
    }

    it.each([
      '{}',
      '{"mongo_id":null}',
      '{"annotations":null}',
      '{"annotations":{}}',
      '{"annotations":"[]"}',
      '{"annotations":1}',
      '{"annotations":{"length":0}}',
    ])('when it has no list: %s', (body) =>
      expectRefused(body, 'NOT_ANNOTATIONS', { member: 'annotations' }),
    );

    it.each(['null', '1', '"a"', 'true', '[]', '[{"lab_class_id":@}]'])(
      'when an annotation is none: %s',
      (annotation) => expectRefused(third(annotation), 'NOT_AN_ANNOTATION', { member: 'annotations[2]' }),
    );

    it.each([
      '{}',
      '{"category_id":@}',
      '{"lab_class_id":null}',
      '{"lab_class_id":"@"}',
      '{"lab_class_id":[@]}',
      '{"lab_class_id":@.5}',
      '{"lab_class_id":true}',
      '{"lab_class_id":9007199254740993}',
      '{"lab_class_id":1e999}',
    ])('when a class is no whole number: %s', (annotation) =>
      expectRefused(third(annotation), 'NOT_A_LABEL_CLASS_ID', { member: 'annotations[2].lab_class_id' }),
    );

    it.each<[error: ErrorName, member: string, json: string]>([
      ['BAD_BOX', 'bbox', '[1,2,3]'],
      ['BAD_BOX', 'bbox', '[1,2,3,null]'],
      ['BAD_BOX', 'bbox', '"1,2,3,4"'],
      ['BAD_BOX', 'bbox', '{}'],
      ['NEGATIVE_BOX', 'bbox', '[1,2,-3,4]'],
      ['NEGATIVE_BOX', 'bbox', '[1,2,3,-0.5]'],
      ['BAD_SEGMENTATION', 'segmentation', '[1,2,3,4,5,6]'],
      ['BAD_SEGMENTATION', 'segmentation', '[["1"]]'],
      ['BAD_SEGMENTATION', 'segmentation', '{"size":[1,2]}'],
      ['BAD_SEGMENTATION', 'segmentation', 'false'],
    ])('%s: %s %s', (error, member, json) =>
      expectRefused(third(`{"lab_class_id":@,"${member}":${json}}`), error, {
        member: `annotations[2].${member}`,
      }),
    );

    it.each<[error: ErrorName, json: string]>([
      ['BAD_NUMBER', '"n":9007199254740992'],
      ['BAD_NUMBER', '"n":-9007199254740993'],
      ['BAD_NUMBER', '"n":2018102439652891014'],
      ['BAD_NUMBER', '"n":{"a":[1e300]}'],
      ['BAD_NUMBER', '"bbox":[1e999,0,0,0]'],
      ['BAD_NUMBER', '"segmentation":[[1e400,0]]'],
      ['BAD_TEXT', '"t":"a\\u0000"'],
      ['BAD_TEXT', '"t":["\\ud800"]'],
      ['BAD_TEXT', '"a\\u0000":1'],
      ['BAD_TEXT', '"\\udc00":1'],
      ['TOO_DEEP', `"d":${'['.repeat(98)}${']'.repeat(98)}`],
      ['TOO_DEEP', `"d":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`],
    ])('%s, which no store can hold', (error, json) =>
      expectRefused(third(`{"lab_class_id":@,${json}}`), error, { member: 'annotations[2]' }),
    );

    it('when a class is none of the task, be it that of another one', () => {
      const lab_class_id = other.classes[0]!;
      const annotations = [{ lab_class_id: task.classes[0] }, { lab_class_id }, { lab_class_id: 2 ** 40 }];
      return expectRefused({ annotations }, 'UNKNOWN_LABEL_CLASS', {
        member: 'annotations[1].lab_class_id',
        id: task.id,
      });
    });

    it.each([
      '""',
      '"null"',
      '"a3f0c201808081000000000"',
      `"${NOBODYS_ID}0"`,
      '"g3f0c2018080810000000002"',
      '1',
      'true',
      '{}',
      `["${NOBODYS_ID}"]`,
      `"${NOBODYS_ID}\\n"`,
    ])('when mongo_id is %s', (json) =>
      expectRefused(`{"annotations":[],"mongo_id":${json}}`, 'NOT_A_MONGO_ID', { member: 'mongo_id' }),
    );

    it.each<[what: string, mongo_id: string | null]>([
      ['one that nobody has', NOBODYS_ID],
      ['none', null],
    ])('when the document is another one than %s', (_, mongo_id) => {
      const { img_id: image, mongo_id: current } = task.images[0]!;
      return expectRefused({ annotations: [], mongo_id }, 'ANNOTATIONS_CHANGED', {
        image,
        current: String(current),
      });
    });

    it('when the image has no document, but one was seen', () => {
      const { img_id: image } = task.images[3]!;
      const details = { image, current: 'null' };
      const edit = { annotations: [], mongo_id: task.images[0]!.mongo_id };
      return expectRefused(edit, 'ANNOTATIONS_CHANGED', details, pathOf(task.id, image));
    });

    it('when the document is the one before', async () => {
      const { img_id: image, mongo_id } = other.images[0]!;
      const { body } = await put(other.id, image, { annotations: [], mongo_id });
      before = await traces();
      const details = { image, current: String(body['mongo_id']) };
      const edit = { annotations: [], mongo_id };
      await expectRefused(edit, 'ANNOTATIONS_CHANGED', details, pathOf(other.id, image));
    });

    it('when there is a member that nobody knows', () =>
      expectRefused({ annotations: [], state: '已测试' }, 'UNKNOWN_PROPERTY', { member: 'state' }));

    it('when the task is not there', async () => {
      const id = newTaskId();
      const path = pathOf(id, task.images[0]!.img_id);
      await expectRefused({ annotations: [] }, 'TASK_NOT_FOUND', { id }, path);
    });

    it('when the image is not there, or another task’s', async () => {
      for (const image of ['9223372036854775807', task.id, other.images[0]!.img_id]) {
        const details = { id: task.id, image };
        await expectRefused({ annotations: [] }, 'IMAGE_NOT_FOUND', details, pathOf(task.id, image));
      }
    });

    it('when it is over 15 MB as a body', () =>
      expectRefused(`{"annotations":[]${' '.repeat(15 * MB)}}`, 'BODY_TOO_LARGE', { max: 15 * MB }));

    it('when it is over 15 MB as BSON, though not as a body', () => {
      const bbox = Array.from({ length: 400_000 }, () => 0.5);
      const annotations = [0, 1, 2, 3].map(() => ({ lab_class_id: task.classes[0], list: bbox }));
      return expectRefused({ annotations }, 'DOCUMENT_TOO_LARGE');
    });

    it('when it is all brackets', () => {
      const levels = 7 * MB;
      return expectRefused(
        `{"annotations":[${'['.repeat(levels)}${']'.repeat(levels)}]}`,
        'NOT_AN_ANNOTATION',
        { member: 'annotations[0]' },
      );
    });
  });

  describe('that fails half-way', () => {
    async function breakImage(image: string): Promise<() => Promise<unknown>> {
      const name = `broken_${image}`;
      await app.dataSource.query(
        `ALTER TABLE image ADD CONSTRAINT ${name} CHECK (id <> ${image} OR state = '已训练') NOT VALID`,
      );
      return () => app.dataSource.query(`ALTER TABLE image DROP CONSTRAINT ${name}`);
    }

    it('leaves the image as it was, is given up, and can be repeated', async () => {
      const { id, images } = await aTask(api);
      const before = await contentOf(api, id);
      const mend = await breakImage(images[0]!.img_id);
      // As long as others edit the task, nobody can say that all of its edits have died.
      await inOtherSession(app, async (session) => {
        await session.query('SELECT pg_advisory_lock_shared($1)', [id]);
        const failed = await put(id, images[0]!.img_id, { annotations: [] });
        expect(failed).toMatchObject({ status: 500, body: { code: 50001 } });
        expect((await garbageOf(app, id)).filter((row) => !row.failed)).toEqual([]);
      });
      expect((await contentOf(api, id)).texts).toEqual(before.texts);
      await mend();
      expect((await put(id, images[0]!.img_id, { annotations: [] })).status).toBe(200);
    });

    it('does not give up others', async () => {
      const { id, images } = await aTask(api);
      const mend = await breakImage(images[0]!.img_id);
      const edit = await inOtherSession(app, async (session) => {
        await session.query('BEGIN');
        await session.query('SELECT FROM image WHERE id = $1 FOR UPDATE', [images[1]!.img_id]);
        const waiting = put(id, images[1]!.img_id, { annotations: [] });
        await eventually('the edit waits', () => isSomebodyWaiting(app));
        expect((await put(id, images[0]!.img_id, { annotations: [] })).status).toBe(500);
        return { waiting };
      });
      expect((await edit.waiting).status).toBe(200);
      await mend();
    });

    it('because its session died leaves the image as it was, and can be repeated', async () => {
      const { id, images } = await aTask(api);
      const before = await contentOf(api, id);
      await inOtherSession(app, async (session) => {
        await session.query('BEGIN');
        await session.query('SELECT FROM image WHERE id = $1 FOR UPDATE', [images[0]!.img_id]);
        const editing = put(id, images[0]!.img_id, { annotations: [] });
        await eventually('the edit waits', () => isSomebodyWaiting(app));
        await session.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
        );
        expect(await editing).toMatchObject({ status: 503, body: { code: 50301 } });
      });
      expect((await garbageOf(app, id)).filter(({ failed }) => !failed)).toEqual([]);
      expect((await contentOf(api, id)).texts).toEqual(before.texts);
      expect((await put(id, images[0]!.img_id, { annotations: [] })).status).toBe(200);
    });
  });
});

describe('a document that is gone', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await TestApp.start();
  });
  afterAll(() => app.stop());

  async function lostTwice(times: number): Promise<Answer> {
    const { id, images } = await aTask(app.api);
    const documents = app.app.get(LabeledImageRepository);
    const find = jest.spyOn(documents, 'find');
    for (let time = 0; time < times; time++) find.mockResolvedValueOnce(null);
    const answer = await app.api.get(pathOf(id, images[0]!.img_id));
    find.mockRestore();
    return answer;
  }

  it('is looked for again by the pointer that the image has then', async () => {
    expect(await lostTwice(2)).toMatchObject({ status: 200, body: { mongo_id: MONGO_ID } });
  });

  it('is an error where that does not help', async () => {
    expect(await lostTwice(3)).toMatchObject({ status: 500, body: { code: 50001 } });
  });
});

describe('changing a task', () => {
  const ORIGIN = 'http://localhost:3000';
  let app: TestApp;
  let api: Api;

  beforeAll(async () => {
    app = await TestApp.start({ CORS_ORIGINS: ORIGIN });
    api = app.api;
  });
  afterAll(() => app.stop());

  const patch = (id: string, body: unknown) => api.patch(`/training/tasks/${id}`, body);

  async function created(fields: object = {}): Promise<Record<string, unknown> & { task_id: string }> {
    const { body } = await api.post('/training/tasks', { task_name: 'old', ...fields });
    return body as Record<string, unknown> & { task_id: string };
  }

  it('renames it, and nothing else', async () => {
    const task = await created({ task_type: 2 });
    const answer = await patch(task.task_id, { task_name: '新 😀' });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ ...task, task_name: '新 😀' });
    expect(Object.keys(answer.body)).toEqual(Object.keys(task));
    expect((await api.get(`/training/tasks/${task.task_id}`)).text).toBe(answer.text);
  });

  it('gives it a type while it has none, together with a name or alone', async () => {
    const [one, other] = [await created(), await created()];
    expect((await patch(one.task_id, { task_type: 3 })).body).toEqual({ ...one, task_type: 3 });
    const both = { task_name: 'new', task_type: 1 };
    expect((await patch(other.task_id, both)).body).toEqual({ ...other, ...both });
  });

  it('takes the type that it has', async () => {
    const task = await created({ task_type: 1 });
    expect((await patch(task.task_id, { task_type: 1, task_name: 'new' })).body).toMatchObject({
      task_type: 1,
      task_name: 'new',
    });
  });

  it('refuses another type, and then leaves the name as well', async () => {
    const task = await created({ task_type: 1 });
    const answer = await sendPlain(app.url, {
      method: 'PATCH',
      path: `/training/tasks/${task.task_id}`,
      headers: { 'Content-Type': 'application/json' },
      body: '{"task_name":"new","task_type":2}',
    });
    expectFailure(answer, 'TASK_TYPES_DIFFER', 'zh', { id: task.task_id, wanted: 2, actual: 1 });
    expect((await api.get(`/training/tasks/${task.task_id}`)).body).toEqual(task);
  });

  it('by nothing answers the task', async () => {
    const task = await created();
    expect(await patch(task.task_id, {})).toMatchObject({ status: 200, body: task });
  });

  it('of a copy keeps what it is a copy of, and does not change the source', async () => {
    const { id } = await aTask(api);
    const copy = newTaskId();
    const { text } = await api.duplicate(id, copy);
    expect((await patch(copy, { task_name: 'mine' })).body).toMatchObject({
      task_name: 'mine',
      task_id_old: id,
    });
    expect((await api.get(`/training/tasks/${id}`)).body['task_name']).toBe(id);
    expect((await api.duplicate(id, copy)).text).toBe(text);
  });

  it('goes through while it is copied; the copy has the old name', async () => {
    const { id } = await aTask(api);
    const { target } = await whileCopied(app, id, async () => {
      expect((await patch(id, { task_name: 'new' })).status).toBe(200);
    });
    expect((await api.get(`/training/tasks/${target}`)).body['task_name']).toBe(id);
  });

  it('gives it one type only, whoever asks for which', async () => {
    const task = await created();
    const answers = await Promise.all(
      [1, 2, 3, 1, 2, 3].map((task_type) => patch(task.task_id, { task_type })),
    );
    const { task_type } = (await api.get(`/training/tasks/${task.task_id}`)).body;
    for (const [at, answer] of answers.entries()) {
      expect(answer.status).toBe(1 + (at % 3) === task_type ? 200 : 409);
    }
  });

  it('that is not there is a 404', async () => {
    const id = newTaskId();
    expect(await patch(id, { task_name: 'a' })).toMatchObject({ status: 404, body: { code: 40402 } });
    expect((await api.get(`/training/tasks/${id}`)).status).toBe(404);
  });

  it('waits 10 s while it is filled, as do its other writes, and then says busy', async () => {
    const { id, images } = await aTask(api);
    await inOtherSession(app, async (session) => {
      await session.query('SELECT pg_advisory_lock($1)', [id]);
      const startedAt = Date.now();
      const answers = await Promise.all([
        patch(id, { task_name: 'x' }),
        api.delete(`/training/tasks/${id}`),
        api.put(pathOf(id, images[0]!.img_id), { annotations: [] }),
      ]);
      expect(Date.now() - startedAt).toBeGreaterThanOrEqual(10_000);
      for (const { status, body, headers } of answers) {
        expect({ status, code: body['code'] }).toEqual({ status: 409, code: 40904 });
        expect(headers.get('Retry-After')).toBe('2');
      }
    });
    expect((await contentOf(api, id)).images).toEqual(images);
  });

  it.each(['PATCH', 'DELETE', 'PUT'])('may be done from another origin: %s', async (method) => {
    const { status, headers } = await sendPlain(app.url, {
      method: 'OPTIONS',
      path: '/training/tasks/2018102439652891014',
      headers: {
        Origin: ORIGIN,
        'Access-Control-Request-Method': method,
        'Access-Control-Request-Headers': 'content-type',
      },
    });
    expect({ status, origin: headers['access-control-allow-origin'] }).toEqual({
      status: 204,
      origin: ORIGIN,
    });
    expect(headers['access-control-allow-methods']?.split(',')).toContain(method);
    expect(headers['access-control-allow-headers']).toBe('content-type');
  });
});
