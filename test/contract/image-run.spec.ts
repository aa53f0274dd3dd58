import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import type { DataSource } from 'typeorm';
import { ImageRun } from '../../src/coco/image-run';
import type { CocoImage } from '../../src/coco/coco-elements';
import { StagingRepository } from '../../src/coco/staging.repository';
import { connectDatabase } from '../../src/database/connect';
import { createDatabase, dropDatabase, TEMPLATE } from '../support/test-database';

const PREFIX = 'abcde';
const FIRST_ID = 3_000_000_000_000_000_000n;

const database = `test_${randomBytes(6).toString('hex')}`;
const staging = new StagingRepository();
let dataSource: DataSource;

beforeAll(async () => {
  dataSource = await connectDatabase(await createDatabase(database, TEMPLATE), false);
});
afterAll(async () => {
  await dataSource.destroy();
  await dropDatabase(database);
});

interface Listed {
  readonly key: string;
  readonly hasRoi: boolean;
}

/** By arithmetic, null where they are no run, and looked up. */
async function places(
  images: readonly Listed[],
  orderIds: readonly (number | null)[],
  keys: readonly string[],
) {
  const connection = dataSource.createQueryRunner();
  try {
    const { manager } = connection;
    await staging.create(manager);
    await staging.addImages(
      connection,
      0,
      images.map(({ key, hasRoi }, at) => ({
        ...IMAGE,
        key,
        roi: hasRoi ? [0, 0, 1, 1] : null,
        orderId: orderIds[at] ?? null,
      })),
    );
    await staging.placeImages(manager, FIRST_ID, images.length);
    const run = await staging.findRun(manager);
    const found = run && new ImageRun(run, PREFIX);
    return {
      run,
      computed: found && keys.map((key) => found.find(key)),
      lookedUp: await staging.findPlaces(manager, PREFIX, keys),
    };
  } finally {
    await connection.query('DISCARD TEMP');
    await connection.release();
  }
}

const IMAGE: Omit<CocoImage, 'key' | 'roi' | 'orderId'> = {
  name: 'a',
  width: 1,
  height: 1,
  setType: 0,
  state: null,
  extra: null,
};

it('of ids that ascend by one says of each image what a lookup says', async () => {
  const files = fc.record({
    first: fc.oneof(fc.integer({ min: -9, max: 3 }), fc.constant(999_999_999_999_980)),
    rois: fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }),
    firstOrderId: fc.option(fc.integer({ min: 1, max: 30 })),
  });
  await fc.assert(
    fc.asyncProperty(files, async ({ first, rois, firstOrderId }) => {
      const images = rois.map((hasRoi, at) => ({ key: String(first + at), hasRoi }));
      const orderIds = firstOrderId === null ? [] : rois.map((_, at) => firstOrderId + 3 * at);
      const others = ['-1', '"1"', '"a"', '0', '25', '9007199254740991', String(first + rois.length)];
      const { computed, lookedUp } = await places(images, orderIds, [
        ...others,
        ...images.map(({ key }) => key),
      ]);
      expect(computed).toEqual(lookedUp);
    }),
    { numRuns: 100 },
  );
});

it.each<[string, keys: string[], orderIds?: number[]]>([
  ['an id that is a text', ['1', '"2"']],
  ['an id that is too large to be counted on from', ['999999999999999', '1000000000000000']],
  ['a gap', ['1', '3']],
  ['the same id twice', ['1', '1']],
  ['ids that descend', ['2', '1']],
  ['ids that ascend in another order than the images will have', ['1', '2'], [2, 1]],
])('is none with %s', async (_, keys, orderIds = []) => {
  const images = keys.map((key) => ({ key, hasRoi: true }));
  const { run } = await places(images, orderIds, []);
  expect(run).toBeNull();
});

it('is none without an image', async () => {
  const { run } = await places([], [], []);
  expect(run).toBeNull();
});
