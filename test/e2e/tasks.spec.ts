import { newTaskId, type Answer } from '../support/api';
import { TestApp } from '../support/test-app';

const TASKS = '/training/tasks';
const MEMBERS = [
  'code',
  'msg',
  'task_id',
  'task_name',
  'task_type',
  'image_count',
  'created_at',
  'task_id_old',
];
const CREATED_AT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

interface Task {
  readonly task_id: string;
  readonly task_name: string;
}

interface Page {
  readonly tasks: readonly Task[];
  readonly next: string | null;
}

let app: TestApp;

beforeAll(async () => {
  app = await TestApp.start();
});
// The list is of the whole service: every test begins with an empty one.
beforeEach(() => app.dataSource.query('TRUNCATE task CASCADE'));
afterAll(() => app.stop());

function create(task: object): Promise<Answer> {
  return app.api.post(TASKS, task);
}

/** One after the other, so that each is newer than the one before. */
async function createNamed(...names: string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const task_name of names) ids.push(String((await create({ task_name })).body['task_id']));
  return ids;
}

async function list(query: Record<string, string> = {}): Promise<Page> {
  const { status, body, text } = await app.api.get(`${TASKS}?${new URLSearchParams(query).toString()}`);
  if (status !== 200) throw new Error(text);
  return { tasks: body['task_list'] as Task[], next: body['next_cursor'] as string | null };
}

async function namesOf(query: Record<string, string>): Promise<string[]> {
  return (await list(query)).tasks.map(({ task_name }) => task_name);
}

/** The last number that the counter behind generated ids has given. */
async function lastNumber(): Promise<bigint> {
  const [row] = await app.dataSource.query<{ last_number: string }[]>(`SELECT last_number FROM id_counter`);
  return BigInt(row!.last_number);
}

async function today(): Promise<string> {
  const [row] = await app.dataSource.query<{ day: string }[]>(
    `SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD') AS day`,
  );
  return row!.day;
}

describe('a new task', () => {
  it('is answered with 201 and all its members, in their order', async () => {
    const { status, body } = await create({ task_name: '螺丝缺陷', task_type: 2 });
    expect(status).toBe(201);
    expect(Object.keys(body)).toEqual(MEMBERS);
    expect(body).toEqual({
      code: 0,
      msg: '成功',
      task_id: expect.stringMatching(/^[1-9]\d{18}$/),
      task_name: '螺丝缺陷',
      task_type: 2,
      image_count: 0,
      created_at: expect.stringMatching(CREATED_AT),
      task_id_old: null,
    });
    expect(Math.abs(Date.now() - Date.parse(String(body['created_at'])))).toBeLessThan(60_000);
  });

  it('has an id of today where none is given, and each its own', async () => {
    const day = await today();
    const ids = await createNamed('a', 'b');
    // A test that runs over midnight sees two days.
    expect([day, await today()]).toContain(ids[0]?.slice(0, 8));
    expect(BigInt(ids[1]!)).toBeGreaterThan(BigInt(ids[0]!));
  });

  it('has the id that its client chose', async () => {
    const task_id = newTaskId();
    expect((await create({ task_id, task_name: 'a' })).body).toMatchObject({ code: 0, task_id });
    expect((await app.api.get(`${TASKS}/${task_id}`)).body).toMatchObject({ task_id, task_name: 'a' });
  });

  it.each(['1000000000000000000', '9223372036854775807'])(
    'may have the id %s, at the edge',
    async (task_id) => {
      expect((await create({ task_id, task_name: 'a' })).body).toMatchObject({ task_id });
    },
  );

  it('cannot have an id that is taken', async () => {
    const task_id = newTaskId();
    await create({ task_id, task_name: 'first' });
    const second = await create({ task_id, task_name: 'second', task_type: 1 });
    expect(second).toMatchObject({ status: 409, body: { code: 40905, msg: `任务 ${task_id} 已存在` } });
    expect((await app.api.get(`${TASKS}/${task_id}`)).body).toMatchObject({
      task_name: 'first',
      task_type: null,
    });
  });

  it('of two that want one id at once exactly one is made', async () => {
    const task_id = newTaskId();
    const answers = await Promise.all(
      ['a', 'b', 'c', 'd'].map((task_name) => create({ task_id, task_name })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
  });

  it('skips a number that a client chose already', async () => {
    const day = await today();
    const number = await lastNumber();
    const idAt = (ahead: bigint) => day + String(number + ahead).padStart(11, '0');
    await create({ task_id: idAt(1n), task_name: 'chosen' });
    await create({ task_id: idAt(2n), task_name: 'chosen' });
    expect((await create({ task_name: 'generated' })).body).toMatchObject({ code: 0, task_id: idAt(3n) });
    expect((await list()).tasks).toHaveLength(3);
  });

  it('is without a type where none is given; null is not the same as nothing', async () => {
    expect((await create({ task_name: 'a' })).body).toMatchObject({ task_type: null });
    const refused = await create({ task_name: 'a', task_type: null });
    expect(refused).toMatchObject({ status: 400, body: { code: 40008, msg: 'task_type 必须是 1、2 或 3' } });
  });

  it.each([1, 2, 3])('may be of type %d', async (task_type) => {
    expect((await create({ task_name: 'a', task_type })).body).toMatchObject({ task_type });
  });

  it.each([
    ['one character', 'a'],
    ['one astral character', '😀'],
    ['a space', ' '],
    ['200 characters', '名'.repeat(200)],
    ['200 astral characters', '😀'.repeat(200)],
    ['lines, quotes and backslashes', 'a\n"b"\\\'c\'\t%s ${d} {member}'],
    ['combining and right-to-left characters', 'e\u0301 \u202eשלום'],
    ['two spaces around', '  a  '],
  ])('may have a name of %s, kept as it is', async (_, task_name) => {
    const { status, body } = await create({ task_name });
    expect({ status, name: body['task_name'] }).toEqual({ status: 201, name: task_name });
    expect((await app.api.get(`${TASKS}/${String(body['task_id'])}`)).body).toMatchObject({ task_name });
  });

  it.each([
    ['201 characters', 'a'.repeat(201)],
    ['201 astral characters', '😀'.repeat(201)],
    ['no character', ''],
  ])('cannot have a name of %s', async (_, task_name) => {
    expect(await create({ task_name })).toMatchObject({
      status: 400,
      body: { code: 40007, msg: 'task_name 必须是 1 到 200 个字符的字符串' },
    });
    expect((await list()).tasks).toEqual([]);
  });

  it('takes JSON that begins with a byte order mark or says its charset', async () => {
    const body = '\uFEFF{"task_name": "a"}';
    const headers = { 'Content-Type': 'application/json; charset="UTF-8"' };
    expect(await app.api.send('POST', TASKS, { body, headers })).toMatchObject({ status: 201 });
  });
});

describe('one task', () => {
  it('is answered as it was created', async () => {
    const { body: created } = await create({ task_name: 'a', task_type: 3 });
    const { status, body } = await app.api.get(`${TASKS}/${String(created['task_id'])}`);
    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual(MEMBERS);
    expect(body).toEqual(created);
  });

  it('that does not exist is a 404 of its own', async () => {
    const id = newTaskId();
    expect(await app.api.get(`${TASKS}/${id}`)).toMatchObject({
      status: 404,
      text: `{"code":40402,"msg":"任务 ${id} 不存在"}`,
    });
  });

  it.each([
    ['', '成功'],
    ['zh-CN', '成功'],
    ['fr', '成功'],
    ['en', 'OK'],
    ['en-US,en;q=0.9,zh;q=0.8', 'OK'],
    ['zh-TW,en;q=0.5', '成功'],
  ])('answered to Accept-Language %s says %s', async (language, msg) => {
    const headers = { 'Accept-Language': language };
    const { body } = await app.api.post(TASKS, { task_name: 'a' }, headers);
    expect(body['msg']).toBe(msg);
    expect((await app.api.get(`${TASKS}/${String(body['task_id'])}`, headers)).body['msg']).toBe(msg);
    expect((await app.api.get(TASKS, headers)).body['msg']).toBe(msg);
  });
});

describe('the history picker', () => {
  it('of no tasks is an empty page', async () => {
    expect((await app.api.get(TASKS)).text).toBe('{"code":0,"msg":"成功","task_list":[],"next_cursor":null}');
  });

  it('shows tasks newest first, with the members of one task', async () => {
    const ids = await createNamed('a', 'b', 'c');
    const { tasks } = await list();
    expect(tasks.map(({ task_id }) => task_id)).toEqual([...ids].reverse());
    expect(Object.keys(tasks[0]!)).toEqual(MEMBERS.slice(2));
  });

  it('shows an old id that came later first: the time counts, not the number', async () => {
    const [generated] = await createNamed('generated');
    await create({ task_id: '1000000000000000000', task_name: 'chosen' });
    expect((await list()).tasks.map(({ task_id }) => task_id)).toEqual(['1000000000000000000', generated]);
  });

  it.each([
    ['1', 1],
    ['1000', 3],
    ['3', 3],
  ])('limit=%s is allowed', async (limit, shown) => {
    await createNamed('a', 'b', 'c');
    expect((await list({ limit })).tasks).toHaveLength(shown);
  });

  it('shows 100 where no limit is given', async () => {
    await app.dataSource.query(
      `INSERT INTO task (task_id, name) SELECT 2018000000000000000 + n, n::text FROM generate_series(1, 101) AS n`,
    );
    const page = await list();
    expect(page.tasks).toHaveLength(100);
    expect((await list({ cursor: page.next! })).tasks).toHaveLength(1);
  });

  it('has no next page behind one that is just full', async () => {
    await createNamed('a', 'b', 'c');
    expect((await list({ limit: '3' })).next).toBeNull();
    expect((await list({ limit: '2' })).next).not.toBeNull();
  });

  it('comes page by page without loss or doubles while new tasks are made', async () => {
    // All of one moment: then only the ids tell their order.
    await app.dataSource.query(
      `INSERT INTO task (task_id, name) SELECT 2018000000000000000 + n, n::text FROM generate_series(1, 15) AS n`,
    );
    const ids = await createNamed('a', 'b', 'c', 'd', 'e');
    const seen: string[] = [];
    for (let next: string | null | undefined; next !== null;) {
      const page = await list({ limit: '3', ...(next !== undefined && { cursor: next }) });
      seen.push(...page.tasks.map(({ task_id }) => task_id));
      await createNamed('new');
      next = page.next;
    }
    const old = Array.from({ length: 15 }, (_, at) => String(2018000000000000015n - BigInt(at)));
    expect(seen).toEqual([...ids.reverse(), ...old]);
  });

  it('pages through what is found only', async () => {
    await createNamed('ab 1', 'x', 'ab 2', 'y', 'ab 3');
    const first = await list({ search: 'ab', limit: '2' });
    expect(first.tasks.map(({ task_name }) => task_name)).toEqual(['ab 3', 'ab 2']);
    const second = await list({ search: 'ab', limit: '2', cursor: first.next! });
    expect(second).toMatchObject({ tasks: [{ task_name: 'ab 1' }], next: null });
  });
});

describe('the search', () => {
  const NAMES = [
    'Schrauben',
    'SCHRAUBE 2',
    '螺丝缺陷 2026',
    'ÄRGER mit Öl',
    '100 % sure',
    'a_b',
    'axb',
    'c\\d',
    "it's",
    '*?',
  ];

  it.each([
    ['schraube', ['SCHRAUBE 2', 'Schrauben']],
    ['SCHRAUBEN', ['Schrauben']],
    ['raub', ['SCHRAUBE 2', 'Schrauben']],
    ['螺丝', ['螺丝缺陷 2026']],
    ['缺陷 20', ['螺丝缺陷 2026']],
    ['ärger', ['ÄRGER mit Öl']],
    ['öl', ['ÄRGER mit Öl']],
    ['%', ['100 % sure']],
    ['_', ['a_b']],
    ['a_b', ['a_b']],
    ['\\', ['c\\d']],
    ['c\\d', ['c\\d']],
    ['\\d', ['c\\d']],
    ["'", ["it's"]],
    ['*', ['*?']],
    ['.*', []],
    ['%%', []],
    ['schraubf', []],
    [' schrauben', []],
  ])('for %s finds %j', async (search, found) => {
    await createNamed(...NAMES);
    expect(await namesOf({ search })).toEqual(found);
  });

  it('for nothing finds everything', async () => {
    await createNamed(...NAMES);
    expect(await namesOf({ search: '' })).toHaveLength(NAMES.length);
  });

  it('finds an id by its beginning, not by its middle', async () => {
    await create({ task_id: '5018102439652891014', task_name: 'five' });
    await create({ task_id: '6018102439652891014', task_name: 'six' });
    await create({ task_id: '7000000000000000000', task_name: 'has 5018 in its name' });
    expect(await namesOf({ search: '5018' })).toEqual(['has 5018 in its name', 'five']);
    expect(await namesOf({ search: '6018102439652891014' })).toEqual(['six']);
    expect(await namesOf({ search: '60181024396528910140' })).toEqual([]);
    expect(await namesOf({ search: '2439' })).toEqual([]);
    expect(await namesOf({ search: '6%' })).toEqual([]);
  });

  it('of 200 astral characters is not too long', async () => {
    await createNamed('😀'.repeat(200), 'a');
    expect(await namesOf({ search: '😀'.repeat(200) })).toHaveLength(1);
  });

  it('that finds nothing is an empty page, not an error', async () => {
    await createNamed('a');
    expect(await list({ search: 'nothing like that' })).toEqual({ tasks: [], next: null });
  });
});
