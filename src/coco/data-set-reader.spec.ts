import { setTimeout as sleep } from 'node:timers/promises';
import type { QueryRunner } from 'typeorm';
import { DataSetReader } from './data-set-reader';
import { ImportReport } from './import-report';
import type { StagingRepository } from './staging.repository';

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
    const reading = new DataSetReader(this.staging, this.connection, file, new ImportReport());
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
    const reading = new DataSetReader(watched.staging, watched.connection, file, new ImportReport());
    await reading.toAnnotations();
    await reading.stageAnnotations();
    await reading.close();
    expect(reading.hasDistinctIds).toBe(distinct);
  },
);

it('leaves it to who takes the documents when a lookup fails while the file goes on', async () => {
  const fault = new Error('connection lost');
  const staging = {
    ...new Watched().staging,
    reserveListedClasses: () => Promise.resolve(),
    findRun: () =>
      Promise.resolve({ firstKey: 0, firstId: '1', firstDocument: '2', firstRoiId: null, rois: '0' }),
    reserveClasses: () => Promise.reject(fault),
  } as unknown as StagingRepository; // all that documents are made with
  // Each is a batch of its own, complete when the next one begins; between two there is time for a fault to be noticed.
  const annotation = (id: number) =>
    JSON.stringify({ id, image_id: id, category_id: 1, note: 'x'.repeat(LARGE) });
  const chunks = async function* () {
    yield Buffer.from(`{"images":[${images(1)}],"annotations":[${annotation(1)},${annotation(2)}`);
    for (const text of [`,${annotation(3)}`, `,${annotation(4)}`, ']}']) {
      await sleep(50);
      yield Buffer.from(text);
    }
  };
  const file = { read: chunks };
  const reading = new DataSetReader(staging, new Watched().connection, file, new ImportReport());
  await reading.toAnnotations();
  await reading.beginDocuments({ prepare: (one) => one, prepareEncoded: () => null });
  // A rejection that nobody waits for would fail this test, as it would end the process.
  await expect(reading.makeDocuments('abcde', 1).next()).rejects.toBe(fault);
  await reading.close();
});
