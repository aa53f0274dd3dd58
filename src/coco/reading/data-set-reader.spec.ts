import type { QueryRunner } from 'typeorm';
import { OneInFlight } from '../../database/one-in-flight';
import type { DataSetFile } from '../data-set-file';
import { DataSetReader } from './data-set-reader';
import type { ImageSlice } from './image-slices';
import { ImportReport } from '../import-report';
import { StagingNeeded } from './staging-needed';
import type { StagingRepository } from '../staging/staging.repository';

/** A connection that says whether two statements ever ran at once, and tables that are nothing but this. */
class Watched {
  readonly statements: string[] = [];
  overlapped = false;
  private running = 0;

  readonly connection = { query: () => this.run('awake') } as unknown as QueryRunner; // all that is used of one
  readonly staging = {
    addImages: () => this.run('images'),
    addCategories: () => this.run('categories'),
    addAnnotations: () => this.run('annotations'),
  } as unknown as StagingRepository; // all that a reader uses

  constructor(private readonly fault?: Error) {}

  get idle(): boolean {
    return this.running === 0;
  }

  async read(chunks: AsyncIterable<Buffer>): Promise<void> {
    const file = { read: () => chunks };
    const reading = new DataSetReader(
      this.staging,
      this.connection,
      new OneInFlight(),
      file,
      new ImportReport(),
    );
    try {
      await reading.toAnnotations();
      if (!reading.isOver) await reading.stageAnnotations();
    } finally {
      await reading.close();
    }
  }

  private async run(statement: string): Promise<void> {
    this.statements.push(statement);
    this.overlapped ||= ++this.running > 1;
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    this.running--;
    if (this.fault) throw this.fault;
  }
}

/** Each text is a chunk; between two of them a second passes. */
async function* slowly(...texts: string[]): AsyncGenerator<Buffer> {
  for (const text of texts) {
    yield Buffer.from(text);
    now += 1000;
    await new Promise(setImmediate);
  }
}

let now = 0;
beforeEach(() => jest.spyOn(performance, 'now').mockImplementation(() => now));
afterEach(() => jest.restoreAllMocks());

const images = (count: number, length = 10) =>
  Array.from({ length: count }, (_, id) =>
    JSON.stringify({ id, file_name: 'x', width: 1, height: 1, extra: 'x'.repeat(length) }),
  ).join();
const LARGE = 2 ** 17;

it('keeps the connection awake while it reads what is no row', async () => {
  const watched = new Watched();
  const ignored = Array.from({ length: 20 }, () => '1,');
  await watched.read(slowly('{"images":[],"odd":[', ...ignored, '1]}'));
  expect(watched.statements).toEqual(['awake', 'awake', 'awake']);
});

it('says nothing where rows are sent all the time', async () => {
  const watched = new Watched();
  const many = Array.from({ length: 20 }, (_, at) => `${at === 0 ? '' : ','}${images(1, LARGE)}`);
  await watched.read(slowly('{"images":[', ...many, ']}'));
  expect(watched.statements).toEqual(many.map(() => 'images'));
});

it('sends what is left of each table at the end, one statement at a time', async () => {
  const watched = new Watched();
  const category = '{"id":1,"name":"c"}';
  const annotation = '{"id":1,"image_id":1,"category_id":1}';
  await watched.read(
    slowly(`{"images":[${images(1, LARGE)}],"annotations":[${annotation}],"categories":[${category}]}`),
  );
  expect(watched.statements).toEqual(['images', 'categories', 'annotations']);
  expect(watched.overlapped).toBe(false);
  expect(watched.idle).toBe(true);
});

it('leaves no statement running behind when the file turns out to be none', async () => {
  const watched = new Watched();
  await expect(watched.read(slowly(`{"images":[${images(1, LARGE)}`, '}'))).rejects.toMatchObject({
    errorName: 'MALFORMED_FILE',
  });
  expect(watched.statements).toEqual(['images']);
  expect(watched.idle).toBe(true);
});

it('throws what the database throws, at the last rows too', async () => {
  const fault = new Error('disk full');
  await expect(new Watched(fault).read(slowly(`{"images":[${images(1)}]}`))).rejects.toBe(fault);
  const many = Array.from({ length: 5 }, () => images(1, LARGE)).join();
  await expect(new Watched(fault).read(slowly(`{"images":[${many}`, `]}`))).rejects.toBe(fault);
});

it.each<[ids: unknown[], distinct: boolean]>([
  [[1, 2, 7], true],
  [[undefined, 1, undefined, 2], true],
  [[2, 1], false],
  [[1, 1], false],
  [['a', 'a'], false],
  [[1, '2'], false],
])(
  'knows of annotations with the ids %j, without comparing each with each, that they differ: %j',
  async (ids, distinct) => {
    const watched = new Watched();
    const annotations = ids.map((id) => JSON.stringify({ id, image_id: 0, category_id: 1 }));
    const file = { read: () => slowly(`{"images":[${images(1)}],"annotations":[${annotations.join()}]}`) };
    const reading = newReader(watched.staging, file);
    await reading.toAnnotations();
    await reading.stageAnnotations();
    await reading.close();
    expect(reading.hasDistinctIds).toBe(distinct);
  },
);

/** What a reader finds in the tables when it makes documents. */
function aStaging(reserveClasses: StagingRepository['reserveClasses']): StagingRepository {
  return { ...new Watched().staging, reserveClasses } as unknown as StagingRepository; // all that a reader uses
}

function newReader(staging: StagingRepository, file: DataSetFile): DataSetReader {
  return new DataSetReader(staging, new Watched().connection, new OneInFlight(), file, new ImportReport());
}

const IDS = { image: 100n, document: 200n, roi: 300n, documentPrefix: 'abcde' };
const AS_THEY_ARE = { prepare: (one: object) => one, prepareEncoded: () => null };

async function slicesOf(file: string): Promise<ImageSlice[]> {
  const staging = aStaging((_, keys) => Promise.resolve(keys.map((key) => ({ key, id: 10 * Number(key) }))));
  const reading = newReader(staging, { read: () => slowly(file) });
  const slices: ImageSlice[] = [];
  try {
    await reading.toAnnotations();
    expect(reading.canMakeDocuments).toBe(true);
    await reading.beginDocuments(AS_THEY_ARE);
    for await (const slice of reading.makeSlices(IDS)) slices.push(slice);
  } finally {
    await reading.close();
  }
  return slices;
}

function fileOf(imageList: readonly object[], annotations: readonly object[]): string {
  const whole = imageList.map((image) => ({ file_name: 'x', width: 9, height: 9, ...image }));
  return JSON.stringify({ images: whole, annotations });
}

it('cuts all images into slices, with the documents of those that have one', async () => {
  const roi = [0, 0, 1, 1];
  const slices = await slicesOf(
    fileOf(
      [{ id: 1, roi }, { id: 2 }, { id: 4, state: '已训练', roi }, { id: 5, roi }, { id: 6 }],
      [
        { id: 1, image_id: 2, category_id: 7, note: 'a' },
        { id: 2, image_id: 2, category_id: 8 },
        { id: 3, image_id: 5, category_id: 7 },
      ],
    ),
  );
  expect(slices.map(({ rows }) => rows)).toEqual([
    null,
    { firstSeq: 0, endSeq: 5, annotated: Buffer.from([0b1010]), rois: 3, firstRoiId: 300n },
  ]);
  expect(slices[1]!.documents).toEqual([]);
  expect(slices[0]!.documents).toMatchObject([
    { id: 'abcde201', imageId: '101', roiId: null, labClassIds: [70, 80] },
    { id: 'abcde202', imageId: '102', roiId: '301', labClassIds: [], annotations: [] },
    { id: 'abcde203', imageId: '103', roiId: '302', labClassIds: [70] },
  ]);
});

it('has not too many documents at once, and rows enough for a statement', async () => {
  const roi = [0, 0, 1, 1];
  const many = Array.from({ length: 9_001 }, (_, id) => ({ id, roi, state: '已测试' }));
  const slices = await slicesOf(fileOf(many, [{ id: 1, image_id: 4_004, category_id: 7 }]));
  expect(Math.max(...slices.map(({ documents }) => documents.length))).toBe(1_000);
  const documents = slices.flatMap((slice) => slice.documents);
  expect(documents.map(({ imageId }) => imageId)).toEqual(many.map(({ id }) => String(100 + id)));
  expect(documents.map(({ roiId }) => roiId)).toEqual(many.map(({ id }) => String(300 + id)));
  const rows = slices.flatMap((slice) => slice.rows ?? []);
  expect(rows.map(({ annotated: _, ...range }) => range)).toEqual([
    { firstSeq: 0, endSeq: 4_000, rois: 4_000, firstRoiId: 300n },
    { firstSeq: 4_000, endSeq: 8_000, rois: 4_000, firstRoiId: 4_300n },
    { firstSeq: 8_000, endSeq: 9_001, rois: 1_001, firstRoiId: 8_300n },
  ]);
  expect(rows.map(({ annotated }) => annotated.length)).toEqual([500, 500, 126]);
  expect(rows[1]!.annotated).toEqual(Buffer.from([0b10000, ...new Array<number>(499).fill(0)]));
});

it('cuts a long gap into statements, too', async () => {
  const many = Array.from({ length: 9_000 }, (_, id) => ({ id }));
  const slices = await slicesOf(fileOf(many, [{ id: 1, image_id: 8_999, category_id: 7 }]));
  const rows = slices.flatMap((slice) => slice.rows ?? []);
  expect(rows.map(({ firstSeq, endSeq, annotated }) => [firstSeq, endSeq, annotated.at(-1)])).toEqual([
    [0, 4_000, 0],
    [4_000, 8_000, 0],
    [8_000, 9_000, 0b10000000],
  ]);
});

const ANNOTATION = { id: 1, image_id: 1, category_id: 7 };
it.each<[string, object[]]>([
  ['of an image that is not there', [{ ...ANNOTATION, image_id: 9 }]],
  ['of an image stand apart', [ANNOTATION, { ...ANNOTATION, id: 2, image_id: 2 }, { ...ANNOTATION, id: 3 }]],
  ['have ids that do not ascend', [ANNOTATION, { ...ANNOTATION, image_id: 2 }]],
  [
    'have too many classes',
    Array.from({ length: 10_001 }, (_, at) => ({ ...ANNOTATION, id: at + 1, category_id: at + 1 })),
  ],
])('needs the tables where annotations %s', async (_, annotations) => {
  await expect(slicesOf(fileOf([{ id: 1 }, { id: 2 }], annotations))).rejects.toBeInstanceOf(StagingNeeded);
});

it('takes annotations of a batch in any order of images', async () => {
  const annotations = [
    { ...ANNOTATION, image_id: 2 },
    { ...ANNOTATION, id: 2 },
  ];
  const [slice] = await slicesOf(fileOf([{ id: 1 }, { id: 2 }], annotations));
  expect(slice!.documents.map(({ imageId }) => imageId)).toEqual(['100', '101']);
});

it('knows which annotation refers to a category first, and how many do', async () => {
  const staging = aStaging((_, keys) => Promise.resolve(keys.map((key) => ({ key, id: 1 }))));
  const annotations = [
    { ...ANNOTATION, image_id: 2 },
    { ...ANNOTATION, id: 2 },
    { ...ANNOTATION, id: 3, category_id: 8 },
  ];
  const reading = newReader(staging, { read: () => slowly(fileOf([{ id: 1 }, { id: 2 }], annotations)) });
  await reading.toAnnotations();
  await reading.beginDocuments(AS_THEY_ARE);
  for await (const slice of reading.makeSlices(IDS)) expect(slice.documents).toHaveLength(2);
  await reading.close();
  expect(reading.referredCategories).toMatchObject([
    { key: '7', seq: 0, annotations: 2 },
    { key: '8', seq: 2, annotations: 1 },
  ]);
});

it('leaves it to who takes the slices when a class can not be reserved', async () => {
  const fault = new Error('connection lost');
  const file = fileOf([{ id: 1 }], [ANNOTATION]);
  const reading = newReader(
    aStaging(() => Promise.reject(fault)),
    { read: () => slowly(file) },
  );
  await reading.toAnnotations();
  await reading.beginDocuments(AS_THEY_ARE);
  await expect(reading.makeSlices(IDS).next()).rejects.toBe(fault);
  await reading.close();
});
