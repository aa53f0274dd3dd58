import { TestApp } from '../support/test-app';

/** What the code never does must not be possible for anybody else either: each rule is tried past the code. */

const TASK = '2018102439652891014';
const IMAGE = '2018102439652891015';

let app: TestApp;

beforeAll(async () => {
  app = await TestApp.start();
  await insert('task', {});
  await insert('image', {});
  await insert('label_class', {});
});
afterAll(() => app.stop());

const VALID = {
  task: { task_id: TASK, name: 'n', task_type: 1, image_count: 0 },
  label_class: { task_id: TASK, name: 'n', color: '#00ff00', order_id: 1 },
  image: {
    task_id: TASK,
    id: IMAGE,
    set_type: 0,
    name: 'n',
    width: 10,
    height: 10,
    state: null,
    order_id: 1,
    mongo_id: null,
  },
  roi_image: { task_id: TASK, id: IMAGE, image_id: IMAGE, x: 0, y: 0, width: 10, height: 10 },
  labeled_image: {
    task_id: TASK,
    id: '0'.repeat(24),
    img_id: IMAGE,
    lab_class_ids: '{1}',
    annotations: '[{}]',
  },
  task_duplication: {
    task_id: TASK,
    attempt_id: '00000000-0000-0000-0000-000000000000',
    source_task_id: IMAGE,
    state: 'running',
    started_at: 'now',
    finished_at: null,
    image_count: 0,
    roi_count: 0,
    label_class_count: 0,
    document_count: 0,
  },
};

/** Inserts a valid row but for what is given. */
async function insert(table: keyof typeof VALID, changed: Record<string, unknown>): Promise<void> {
  const row = { ...VALID[table], ...changed };
  const places = Object.keys(row).map((_, at) => `$${String(at + 1)}`);
  await app.dataSource.query(
    `INSERT INTO ${table} (${Object.keys(row).join(', ')}) VALUES (${places.join(', ')})`,
    Object.values(row),
  );
}

async function sqlStateOf(work: Promise<unknown>): Promise<string | undefined> {
  const fault: unknown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  return (fault as { code?: string } | undefined)?.code;
}

const CHECK = '23514';
const UNIQUE = '23505';
const REFERENCE = '23503';
const IDENTITY = '23000';
const ALWAYS = '428C9';
const OTHER = '2018102439652891099';

it.each<[keyof typeof VALID, Record<string, unknown>, string]>([
  ['task', { task_id: '999999999999999999' }, CHECK],
  ['task', {}, UNIQUE],
  ['task', { task_id: OTHER, name: '' }, CHECK],
  ['task', { task_id: OTHER, name: 'x'.repeat(201) }, CHECK],
  ['task', { task_id: OTHER, task_type: 0 }, CHECK],
  ['task', { task_id: OTHER, task_type: 4 }, CHECK],
  ['task', { task_id: OTHER, image_count: -1 }, CHECK],
  ['label_class', {}, UNIQUE],
  ['label_class', { order_id: 0 }, CHECK],
  ['label_class', { order_id: 2, name: '' }, CHECK],
  ['label_class', { order_id: 2, color: '#00FF00' }, CHECK],
  ['label_class', { order_id: 2, color: 'green' }, CHECK],
  ['label_class', { order_id: 2, id: 7 }, ALWAYS],
  ['label_class', { task_id: OTHER }, REFERENCE],
  ['image', { order_id: 2 }, UNIQUE],
  ['image', { id: OTHER }, UNIQUE],
  ['image', { id: OTHER, order_id: 0 }, CHECK],
  ['image', { id: OTHER, order_id: 2, set_type: 3 }, CHECK],
  ['image', { id: OTHER, order_id: 2, set_type: -1 }, CHECK],
  ['image', { id: OTHER, order_id: 2, width: 0 }, CHECK],
  ['image', { id: OTHER, order_id: 2, height: -1 }, CHECK],
  ['image', { id: OTHER, order_id: 2, name: '' }, CHECK],
  ['image', { id: OTHER, order_id: 2, state: '未知' }, CHECK],
  ['image', { id: OTHER, order_id: 2, mongo_id: 'abc' }, CHECK],
  ['image', { task_id: OTHER }, REFERENCE],
  ['roi_image', { image_id: OTHER }, REFERENCE],
  ['roi_image', { task_id: OTHER }, REFERENCE],
  ['roi_image', { x: -1 }, CHECK],
  ['roi_image', { width: 0 }, CHECK],
  ['roi_image', { x: 1 }, REFERENCE],
  ['roi_image', { height: 11 }, REFERENCE],
  ['roi_image', { x: 2 ** 31 - 1, width: 2 ** 31 - 1 }, REFERENCE],
  ['labeled_image', { task_id: OTHER }, REFERENCE],
  ['labeled_image', { lab_class_ids: '{NULL}' }, CHECK],
  ['task_duplication', { state: 'paused' }, CHECK],
  ['task_duplication', { source_task_id: TASK }, CHECK],
  ['task_duplication', { state: 'done' }, CHECK],
  ['task_duplication', { finished_at: 'now' }, CHECK],
])('%s with %j is refused (%s)', async (table, changed, sqlState) => {
  expect(await sqlStateOf(insert(table, changed))).toBe(sqlState);
});

it('takes the valid rows that the refused ones were made from', async () => {
  await insert('roi_image', {});
  await insert('labeled_image', {});
  await insert('task_duplication', {});
});

it.each([
  ['a task that owns rows', `DELETE FROM task WHERE task_id = ${TASK}`, REFERENCE],
  ['an image with a ROI', `DELETE FROM image WHERE id = ${IMAGE}`, REFERENCE],
])('does not let go %s', async (_, sql, sqlState) => {
  expect(await sqlStateOf(app.dataSource.query(sql))).toBe(sqlState);
});

it.each([
  'task SET task_id',
  'image SET task_id',
  'image SET id',
  'label_class SET task_id',
  'roi_image SET image_id',
])('lets no id change: UPDATE %s', async (column) => {
  expect(await sqlStateOf(app.dataSource.query(`UPDATE ${column} = ${OTHER}`))).toBe(IDENTITY);
});

it('deletes a task from the inside out', async () => {
  for (const table of ['labeled_image', 'roi_image', 'image', 'label_class', 'task']) {
    await app.dataSource.query(`DELETE FROM ${table}`);
  }
  expect(await app.rowCounts()).toMatchObject({
    task: 0,
    image: 0,
    roi_image: 0,
    label_class: 0,
    labeled_image: 0,
  });
});

it('keeps the planner from believing that a task it has not seen has one row', async () => {
  await insert('task', {});
  await insert('image', {});
  await app.dataSource.query('ANALYZE');
  const known = await app.dataSource.query<{ tablename: string }[]>(
    `SELECT tablename FROM pg_stats WHERE schemaname = 'public' AND attname = 'task_id' ORDER BY 1`,
  );
  expect(known.map(({ tablename }) => tablename)).toEqual(['task', 'task_duplication']);
});
