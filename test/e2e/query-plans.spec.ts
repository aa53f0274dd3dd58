import { getConnectionToken } from '@nestjs/mongoose';
import type mongoose from 'mongoose';
import { newTaskId } from '../support/api';
import { aDataSet } from '../support/data-set';
import { describeWithMongoDb, type DocumentMode } from '../support/document-mode';
import { recordPlans, TELL_PLANS, type PlanNode, type RecordedPlan } from '../support/recorded-plans';
import { TestApp } from '../support/test-app';

/** A slice of a copy and a quarter; where a plan compares each image with each, it meets 25 million rows. */
const [SLICE, REST] = [4_000, 1_000];
const IMAGES = SLICE + REST;

beforeAll(() => {
  process.env['PGOPTIONS'] = TELL_PLANS;
});
afterAll(() => {
  delete process.env['PGOPTIONS'];
});

const TABLES = ['label_class', 'image', 'roi_image', 'labeled_image'];

describe.each(['never made', 'of other tasks', 'of emptied tables', 'current'])(
  'with statistics: %s',
  (statistics) => {
    let app: TestApp;
    let plans: RecordedPlan[];
    let target: string;

    /** Four tasks of one size, so that a plan that reads a whole table shows; the last is a copy of the first. */
    beforeAll(async () => {
      app = await startApp();
      if (statistics === 'of other tasks') {
        for (let at = 0; at < 20; at++) await aTask(app, 1);
        await app.dataSource.query('ANALYZE');
      }
      if (statistics === 'of emptied tables') {
        // As after the last task was deleted: no row in so many pages, and the planner expects one in as many as there will be.
        expect(await app.api.delete(`/training/tasks/${await aTask(app, IMAGES)}`)).toMatchObject({
          status: 200,
        });
        await app.dataSource.query(`VACUUM (TRUNCATE off, ANALYZE) ${TABLES.join(', ')}`);
      }
      const source = await aTask(app, IMAGES);
      for (let at = 0; at < 2; at++) await duplicate(app, source);
      if (statistics === 'current') await app.dataSource.query('ANALYZE');
      plans = recordPlans(app);
      target = await duplicate(app, source);
    });
    afterAll(() => app.stop());

    /** What ran while the target was read so: all statements, and those that read a set of images by `order_id`. */
    async function read(path: string): Promise<{ all: RecordedPlan[]; ordered: RecordedPlan[] }> {
      plans.length = 0;
      expect(await app.api.get(`/training/tasks/${target}${path}`)).toMatchObject({ status: 200 });
      const all = [...plans];
      return {
        all,
        ordered: all.filter(({ sql }) => /FROM image\b.*ORDER BY (image\.)?order_id/s.test(sql)),
      };
    }

    // The copy is the first that was recorded.
    it('a copy reads each slice once, by the range of its ids', () => {
      expectLinear(plans);
      for (const table of ['image', 'roi_image', 'labeled_image']) {
        const inserts = plans.filter(({ sql }) => sql.startsWith(`INSERT INTO ${table} `));
        expect(inserts.map(rowsMet)).toEqual([SLICE, REST]);
        expect(inserts.flatMap(({ nodes }) => nodes.filter(isScan).map(loops))).toEqual(
          Array.from({ length: table === 'labeled_image' ? 4 : 2 }, () => 1),
        );
      }
    });

    it('its answer is read by an index in its order', () => {
      const [items] = plans.filter(({ sql }) => sql.includes('"img_name"'));
      expect(items!.nodes).toMatchObject([{ 'Node Type': 'Index Scan', 'Index Name': 'image_order' }]);
    });

    it('the triggers of a copy run once for each statement', () => {
      const triggers = plans.flatMap((plan) => plan.triggers);
      expect(new Set(triggers.map((trigger) => trigger['Trigger Name']))).toEqual(
        new Set(['check_task_exists', 'check_roi_inside_image']),
      );
      expect(triggers.filter(({ Calls }) => Calls !== 1)).toEqual([]);
    });

    it.each([
      ['all relations', '/duplication/maps', 2],
      ['a page of relations', '/duplication/maps?limit=1000', 2],
      ['a page of images', '/images?limit=1000', 1],
      ['an export', '/coco', 1 + IMAGES / 250 + 1],
    ])('%s: the first row at once, and an index for what belongs to each', async (_, path, statements) => {
      const { all, ordered } = await read(path);
      expectLinear(all);
      expect(ordered).toHaveLength(statements);
      for (const { nodes } of ordered) {
        expect(nodes.map((node) => node['Node Type']).filter((type) => !IN_PASSING.has(type))).toEqual([]);
        expect(nodes.find(isScan)).toMatchObject({ 'Index Name': 'image_order' });
      }
    });

    it('a verification joins tasks whole', async () => {
      const { all } = await read('/duplication/verification');
      expect(all.length).toBeGreaterThan(10);
      // The record of the copy may be looked up anew for each image: three are there.
      expectLinear(all, 3 * IMAGES);
    });

    it('a deletion goes through each table once', async () => {
      plans.length = 0;
      expect(await app.api.delete(`/training/tasks/${target}`)).toMatchObject({ status: 200 });
      expect(plans.filter(({ sql }) => sql.startsWith('DELETE')).length).toBeGreaterThanOrEqual(6);
      expectLinear(plans);
    });

    it('an import in the order of the images writes them in slices, each found by an index', async () => {
      plans.length = 0;
      await aTask(app, IMAGES);
      expectLinear(plans);
      for (const table of ['image', 'roi_image']) {
        const inserts = plans.filter(({ sql }) => sql.startsWith(`INSERT INTO ${table} `));
        expect(inserts.length).toBeGreaterThan(1);
        expect(inserts.reduce((sum, plan) => sum + rowsMet(plan), 0)).toBe(IMAGES);
      }
    });

    it('an import of annotations in no order meets each of them once', async () => {
      plans.length = 0;
      await aTask(app, IMAGES, 2);
      expectLinear(plans, 2 * IMAGES);
      expect(plans.some(({ sql }) => sql.includes('string_agg(rests'))).toBe(true);
    });
  },
);

describeWithMongoDb('with documents in MongoDB', () => {
  let app: TestApp;
  let plans: RecordedPlan[];
  let database: mongoose.mongo.Db;
  let source: string;
  let target: string;

  beforeAll(async () => {
    app = await startApp('mongodb');
    database = app.app.get<mongoose.Connection>(getConnectionToken()).db!;
    source = await aTask(app, IMAGES);
    for (let at = 0; at < 2; at++) target = await duplicate(app, source);
    plans = recordPlans(app);
  });
  beforeEach(() => {
    plans.length = 0;
  });
  afterAll(() => app.stop());

  it('a copy reads each slice of rows once, and each document once, by an index', async () => {
    await database.command({ profile: 2 });
    await duplicate(app, source);
    await database.command({ profile: 0 });
    expectLinear(plans);
    for (const table of ['image', 'roi_image']) {
      const inserts = plans.filter(({ sql }) => sql.startsWith(`INSERT INTO ${table} `));
      expect(inserts.map(rowsMet)).toEqual([SLICE, REST]);
    }
    const pipelines = await database
      .collection('system.profile')
      .find({ 'command.aggregate': 'labeled_image', 'command.pipeline.$merge': { $exists: true } })
      .toArray();
    // Of both indexes either is as good: a chunk is a range of `_id` in one task.
    for (const { planSummary } of pipelines) expect(planSummary).toMatch(/^IXSCAN { (task_id: 1, )?_id: 1 }/);
    expect(pipelines.reduce((sum, { docsExamined }) => sum + Number(docsExamined), 0)).toBe(IMAGES);
  });

  it.each([
    ['all relations', '/duplication/maps', IMAGES],
    ['a page of images', '/images?limit=1000', IMAGES],
    ['an export', '/coco', IMAGES],
    // The record of the copy may be looked up anew for each image: three are there.
    ['a verification', '/duplication/verification', 3 * IMAGES],
  ])('%s: no step meets more rows than there are', async (_, path, rowsMax) => {
    expect(await app.api.get(`/training/tasks/${target}${path}`)).toMatchObject({ status: 200 });
    expect(plans.length).toBeGreaterThan(1);
    expectLinear(plans, rowsMax);
  });

  it('an import writes the rows in slices', async () => {
    await aTask(app, IMAGES);
    expectLinear(plans);
    const inserts = plans.filter(({ sql }) => sql.startsWith('INSERT INTO image '));
    expect(inserts.length).toBeGreaterThan(1);
  });
});

/** Statistics are made only where a test makes them. */
async function startApp(documents: DocumentMode = 'postgresql'): Promise<TestApp> {
  const app = await TestApp.start({}, { documents });
  for (const table of TABLES) {
    await app.dataSource.query(`ALTER TABLE ${table} SET (autovacuum_enabled = off)`);
  }
  return app;
}

async function aTask(app: TestApp, images: number, annotationsEach = 1): Promise<string> {
  const id = newTaskId();
  const dataSet = aDataSet({ images, annotationsEach });
  for (const image of dataSet.images) image['roi'] = [0, 0, 10, 10];
  for (const annotation of dataSet.annotations) annotation['note'] = 'x'.repeat(200); // for several batches of an import
  expect(await app.api.importCoco(id, dataSet)).toMatchObject({ status: 200 });
  return id;
}

async function duplicate(app: TestApp, source: string): Promise<string> {
  const id = newTaskId();
  expect(await app.api.duplicate(source, id)).toMatchObject({ status: 200 });
  return id;
}

/** What hands on each row before it takes the next. */
const IN_PASSING = new Set(['Nested Loop', 'Index Scan', 'Limit', 'WindowAgg', 'Subquery Scan', 'Memoize']);

/** No step of a plan meets more rows than the task has images, where nothing else is said. */
function expectLinear(plans: readonly RecordedPlan[], rowsMax = IMAGES): void {
  const large = plans.filter((plan) => rowsMet(plan) > rowsMax);
  expect(large.map((plan) => `${String(rowsMet(plan))} rows: ${plan.sql}`)).toEqual([]);
}

/** By the step of the plan that meets most; those that it drops count, too. */
function rowsMet({ nodes }: RecordedPlan): number {
  return Math.max(
    ...nodes.map((node) => {
      const dropped = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Join Filter'] ?? 0);
      return (node['Actual Rows'] + dropped) * loops(node);
    }),
  );
}

function loops(node: PlanNode): number {
  return node['Actual Loops'];
}

function isScan(node: PlanNode): boolean {
  return node['Node Type'] !== 'ModifyTable' && node['Relation Name'] !== undefined;
}
