import { Readable } from 'node:stream';
import { CocoImportService } from '../../src/coco/coco-import.service';
import { Sweeper } from '../../src/tasks/sweeper';
import { newTaskId, type Answer } from '../support/api';
import { aDataSet, type CocoDataSet } from '../support/data-set';
import { describeInEachMode } from '../support/document-mode';
import { garbageOf } from '../support/garbage';
import { TestApp } from '../support/test-app';

/** Several batches of documents. */
const [IMAGES, EACH] = [1_200, 20];
const MB = 2 ** 20;

describeInEachMode('an import that writes documents while it reads', (mode) => {
  let app: TestApp;

  beforeAll(async () => {
    app = await TestApp.start({}, { documents: mode });
  });
  afterAll(() => app.stop());

  const put = (task: string, body: string): Promise<Answer> =>
    app.api.send('PUT', `/training/tasks/${task}/coco?task_type=1`, {
      body,
      headers: { 'Content-Type': 'application/json', 'Accept-Language': 'en' },
    });

  async function exportOf(task: string): Promise<CocoDataSet> {
    return (await app.api.get(`/training/tasks/${task}/coco`)).body as unknown as CocoDataSet;
  }

  /** What is exported, with the names of the classes and of the images in the place of their ids. */
  async function namedContentOf(task: string): Promise<unknown[]> {
    return named(await exportOf(task));
  }

  /** How many documents of the task were written for nothing, and are gone now. */
  async function sweep(task: string): Promise<number> {
    const { documents } = await app.app.get(Sweeper).sweep();
    expect((await garbageOf(app, task)).every(({ failed }) => failed)).toBe(true);
    expect(await app.app.get(Sweeper).sweep()).toMatchObject({ documents: 0 });
    return documents;
  }

  it('takes a file in the order of COCO, with the categories last', async () => {
    const { images, annotations, categories } = byImage(
      aDataSet({ images: IMAGES, annotationsEach: EACH, classes: 7 }),
    );
    const id = newTaskId();
    const { status } = await put(id, JSON.stringify({ images, annotations, categories, info: { year: 7 } }));
    expect(status).toBe(200);
    expect(await namedContentOf(id)).toEqual(named({ images, annotations, categories }));
    expect((await exportOf(id)).info).toEqual({ year: 7 });
    expect(await garbageOf(app, id)).toEqual([]);
  });

  it('writes images with and without annotations, states and ROIs as it does by the tables', async () => {
    const { categories, ...dataSet } = byImage(aDataSet({ images: 2_500, annotationsEach: 4 }));
    const images = dataSet.images.map((image, at) => ({
      ...image,
      order_id: 2 * at + 5,
      set_type: at % 3,
      ...(at % 4 < 2 && { roi: [at % 9, 1, 2, 3] }),
      ...(at % 5 === 0 && { state: ['已训练', '已测试', '已标注'][at % 3] }),
      note: `of ${String(at)}`,
    }));
    const annotations = numbered(
      dataSet.annotations.filter(({ image_id: id }) => Number(id) % 7 > 1 && Number(id) < 2_200),
    );
    const [atOnce, staged] = [newTaskId(), newTaskId()];
    expect(await put(atOnce, JSON.stringify({ images, annotations, categories }))).toMatchObject({
      status: 200,
    });
    const text = annotations.map((one) => ({ ...one, id: `of ${String(one['id'])}` }));
    expect(await put(staged, JSON.stringify({ images, annotations: text, categories }))).toMatchObject({
      status: 200,
    });
    expect(relative(await exportOf(atOnce))).toEqual(relative(await exportOf(staged)));
    expect(await rowsOf(atOnce)).toEqual(await rowsOf(staged));
  });

  /** The images' rows and their ROIs, with ids as distances from the first image's. */
  async function rowsOf(task: string): Promise<unknown[]> {
    return app.dataSource.query(
      `SELECT
         image.id - first.id AS id, order_id, state, substr(mongo_id, 6)::bigint - first.id AS document,
         roi.id - first.id AS roi, x, y, roi.width, roi.height
       FROM image
       CROSS JOIN (SELECT min(id) AS id FROM image WHERE task_id = $1) AS first
       LEFT JOIN roi_image AS roi ON roi.task_id = image.task_id AND roi.image_id = image.id
       WHERE image.task_id = $1
       ORDER BY image.id`,
      [task],
    );
  }

  const tables = mode === 'postgresql' ? ['image', 'labeled_image'] : ['image'];
  it.each(tables)(
    'tells why nothing can be written into %s, where the other fails because of it',
    async (table) => {
      await app.dataSource.query(
        `CREATE FUNCTION refuse_rows() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN
         RAISE 'no row today';
       END $$;
       CREATE TRIGGER refuse_rows AFTER INSERT ON ${table} EXECUTE FUNCTION refuse_rows()`,
      );
      try {
        // The first statement of rows is sent in the middle of the documents.
        const dataSet = byImage(aDataSet({ images: 9_000, annotationsEach: 2 }));
        const file = { read: () => Readable.from([Buffer.from(JSON.stringify(dataSet))]) };
        const task = newTaskId();
        const importing = app.app.get(CocoImportService).importFile(task, { task_type: 1 }, file);
        await expect(importing).rejects.toThrow('no row today');
        expect(await app.api.get(`/training/tasks/${task}`)).toMatchObject({ status: 404 });
        await sweep(task);
      } finally {
        await app.dataSource.query(`DROP FUNCTION refuse_rows CASCADE`);
      }
    },
  );

  it.each<[string, (id: number) => unknown]>([
    ['with gaps', (id) => id + 3 * Math.floor(id / 7)],
    ['that descend', (id) => 10_000 - id],
    ['that are scattered', (id) => (id * 7_919) % 1_000_003],
    ['that are texts', (id) => `image ${String(id)}`],
  ])('takes images with ids %s', async (_, idOf) => {
    const dataSet = byImage(aDataSet({ images: 300, annotationsEach: EACH, classes: 7 }));
    const images = dataSet.images.map((image) => ({ ...image, id: idOf(image['id'] as number) }));
    const annotations = dataSet.annotations.map((one) => ({
      ...one,
      image_id: idOf(one['image_id'] as number),
    }));
    const id = newTaskId();
    expect(await put(id, JSON.stringify({ ...dataSet, images, annotations }))).toMatchObject({ status: 200 });
    expect(await namedContentOf(id)).toEqual(named(dataSet));
  });

  it('knows the class of each annotation, of however many', async () => {
    const classes = 12_000;
    const dataSet = byImage(aDataSet({ images: 100, classes, annotationsEach: 240 }));
    const id = newTaskId();
    expect(await put(id, JSON.stringify(dataSet))).toMatchObject({ status: 200 });
    expect(await namedContentOf(id)).toEqual(named(dataSet));
  }, 30_000);

  it.each<[string, (annotations: CocoDataSet['annotations']) => CocoDataSet['annotations'], object[]]>([
    ['annotations of an image stand apart', ([first, ...others]) => numbered([...others, first!]), []],
    [
      'ids of annotations stop ascending',
      (all) => all.with(-1, { ...all.at(-1), id: 0.5 * all.length }),
      [{ code: 'duplicate_annotation_id', count: 1, examples: [String((EACH * IMAGES) / 2)] }],
    ],
  ])('begins anew when %s, and leaves nothing of the first attempt', async (_, change, warnings) => {
    const ordered = byImage(aDataSet({ images: IMAGES, annotationsEach: EACH }));
    const dataSet = { ...ordered, annotations: change(ordered.annotations) };
    const id = newTaskId();
    expect(await put(id, JSON.stringify(dataSet))).toMatchObject({
      status: 200,
      body: { images: IMAGES, annotations: EACH * IMAGES, warnings },
    });
    const content = await namedContentOf(id);
    const written = await sweep(id);
    expect(mode === 'mongodb' ? written > 100 : written === 0).toBe(true);
    expect(await namedContentOf(id)).toEqual(content);
    expect(content).toEqual(named(byImage(dataSet)));
  });

  it('takes categories with long texts as ids, which no index takes', async () => {
    const { images, annotations } = byImage(aDataSet({ images: 2 }));
    const ids = [0, 1].map((which) =>
      Array.from({ length: 1_024 }, (_, at) =>
        String.fromCodePoint(0x4e00 + ((7_919 * at * (at + which)) % 20_000)),
      ).join(''),
    );
    const categories = ids.map((id, at) => ({ id, name: `class ${String(at)}` }));
    const referring = annotations.map((one, at) => ({ ...one, category_id: ids[at % 2] }));
    const id = newTaskId();
    const dataSet = { images, categories, annotations: referring };
    expect(await put(id, JSON.stringify(dataSet))).toMatchObject({ status: 200 });
    expect(await namedContentOf(id)).toEqual(named(dataSet));
  });

  it('begins anew for an image whose text is too long to wait for', async () => {
    const dataSet = byImage(aDataSet({ images: 2, annotationsEach: 40 }));
    const id = newTaskId();
    const text = JSON.stringify(dataSet).replaceAll('{"id":', `{${' '.repeat(MB)}"id":`);
    expect(await put(id, text)).toMatchObject({ status: 200, body: { annotations: 80 } });
    expect(await namedContentOf(id)).toEqual(named(dataSet));
  });

  it('refuses an annotation that is larger than a document, and than what a serializer takes', async () => {
    const dataSet = aDataSet({ images: 1, annotationsEach: 1 });
    // 3 MB of text, 19 as BSON.
    dataSet.annotations[0]!['segmentation'] = [new Array<number>(1_500_000).fill(1)];
    const { status, body } = await put(newTaskId(), JSON.stringify(dataSet));
    expect({ status, msg: body['msg'] }).toEqual({ status: 422, msg: expect.stringMatching(/over 15 MB/) });
  });

  it.each<[fault: string, break_: (dataSet: CocoDataSet) => void, message: RegExp]>([
    [
      'a category that is not there',
      ({ categories }) => void categories.pop(),
      /\(8000\): annotations\[\d+\] \(cat/,
    ],
    ['an image that is not there', ({ annotations }) => (annotations.at(-1)!['image_id'] = 0), /image_id 0/],
    [
      'a box of negative size',
      ({ annotations }) => (annotations.at(-1)!['bbox'] = [0, 0, -1, 1]),
      /negative/,
    ],
  ])('undoes what it has written when it finds %s', async (_fault, break_, message) => {
    const dataSet = byImage(aDataSet({ images: IMAGES, annotationsEach: EACH, classes: 3 }));
    break_(dataSet);
    const before = await app.rowCounts();
    const id = newTaskId();
    const { status, body } = await put(id, JSON.stringify(dataSet));
    expect({ status, msg: body['msg'] }).toEqual({ status: 422, msg: expect.stringMatching(message) });
    const written = await sweep(id);
    expect(mode === 'mongodb' ? written > 100 : written === 0).toBe(true);
    expect(await app.rowCounts()).toEqual(before);
    expect(await app.api.get(`/training/tasks/${id}`)).toMatchObject({ status: 404 });
  });
});

/** Without what two tasks have each for itself: the ids of images and classes. */
function relative({ images, categories, annotations }: CocoDataSet): unknown {
  const names = new Map(categories.map(({ id, name }) => [id, name]));
  return {
    images: images.map(({ img_id: _, ...rest }) => rest),
    categories: categories.map(({ id: _, ...rest }) => rest),
    annotations: annotations.map((one) => ({ ...one, category_id: names.get(one['category_id']) })),
  };
}

/** As exports are: annotations in the order of their images, and numbered so. */
function byImage(dataSet: CocoDataSet): CocoDataSet {
  const annotations = dataSet.annotations.toSorted((a, b) => Number(a['image_id']) - Number(b['image_id']));
  return { ...dataSet, annotations: numbered(annotations) };
}

function numbered(annotations: CocoDataSet['annotations']): CocoDataSet['annotations'] {
  return annotations.map((one, at) => ({ ...one, id: at + 1 }));
}

/** Each annotation with the names of its image and its class, in the order of the file. */
function named({ images, categories, annotations }: CocoDataSet): unknown[] {
  const nameOf = (list: Record<string, unknown>[], member: string) =>
    new Map(list.map((one) => [one['id'], one[member]]));
  const [imageNames, classNames] = [nameOf(images, 'file_name'), nameOf(categories, 'name')];
  return annotations.map(({ image_id, category_id, bbox }) => [
    imageNames.get(image_id),
    classNames.get(category_id),
    bbox,
  ]);
}
