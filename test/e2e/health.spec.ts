import { Client } from 'pg';
import { newTaskId, type Answer } from '../support/api';
import { aDataSet } from '../support/data-set';
import { DatabaseProxy } from '../support/database-proxy';
import { eventually } from '../support/eventually';
import { TestApp } from '../support/test-app';
import { urlOf } from '../support/test-database';

const UP = {
  status: 'ok',
  info: { postgresql: { status: 'up', responseTime: expect.any(Number) as number } },
  error: {},
  details: { postgresql: { status: 'up', responseTime: expect.any(Number) as number } },
};
const IMAGE = '2018080810000000001';

let proxy: DatabaseProxy;
let app: TestApp;

beforeAll(async () => {
  proxy = await DatabaseProxy.open();
  const server = process.env['TEST_SERVER_URL'];
  process.env['TEST_SERVER_URL'] = proxy.url;
  app = await TestApp.start();
  process.env['TEST_SERVER_URL'] = server;
});
afterEach(async () => {
  await proxy.restore();
  await isReady();
});
afterAll(async () => {
  await app.stop();
  await proxy.close();
});

function isReady(): Promise<boolean> {
  return eventually('the service is ready', async () => (await app.api.get('/health/ready')).status === 200);
}

async function onServer(sql: string): Promise<void> {
  const client = new Client({ connectionString: urlOf('postgres') });
  await client.connect();
  await client.query(sql);
  await client.end();
}

/** With how long it took. */
async function timed(request: () => Promise<Answer>): Promise<{ answer: Answer; ms: number }> {
  const startedAt = performance.now();
  const answer = await request();
  return { answer, ms: performance.now() - startedAt };
}

const REQUESTS: [title: string, request: (task: string) => Promise<Answer>][] = [
  ['duplicate', (task) => app.api.duplicate(task, newTaskId())],
  ['create', () => app.api.post('/training/tasks', { task_name: 'a' })],
  ['create with an id', () => app.api.post('/training/tasks', { task_id: newTaskId(), task_name: 'a' })],
  ['import', () => app.api.importCoco(newTaskId(), aDataSet())],
  ...[
    '',
    '/{task}',
    '/{task}/images',
    '/{task}/label-classes',
    `/{task}/images/${IMAGE}/annotations`,
    '/{task}/coco',
    '/{task}/duplication',
    '/{task}/duplication/maps',
  ].map((path): [string, (task: string) => Promise<Answer>] => [
    `GET /training/tasks${path}`,
    (task) => app.api.get(`/training/tasks${path.replace('{task}', task)}`),
  ]),
];

describe('while all is well', () => {
  it('live says no more than that the process answers', async () => {
    const { status, headers, body } = await app.api.get('/health/live');
    expect({ status, body }).toEqual({
      status: 200,
      body: { status: 'ok', info: {}, error: {}, details: {} },
    });
    expect(headers.get('X-Request-Id')).not.toBeNull();
    expect(headers.get('Cache-Control')).toMatch(/no-store/);
  });

  it('ready names the database, in the format of Terminus', async () => {
    const { status, headers, body } = await app.api.get('/health/ready');
    expect({ status, body }).toEqual({ status: 200, body: UP });
    expect(headers.get('X-Request-Id')).not.toBeNull();
  });

  it('a probe may ask for the head only', async () => {
    expect(await app.api.send('HEAD', '/health/ready')).toMatchObject({ status: 200, text: '' });
  });
});

describe('while the database is away', () => {
  beforeEach(() => proxy.cut());

  it('ready is 503 and names it, live goes on', async () => {
    const { answer, ms } = await timed(() => app.api.get('/health/ready'));
    const down = { postgresql: { status: 'down', responseTime: expect.any(Number) as number } };
    expect({ status: answer.status, body: answer.body }).toEqual({
      status: 503,
      body: { status: 'error', info: {}, error: down, details: down },
    });
    expect(answer.headers.get('Retry-After')).toBe('5');
    expect(ms).toBeLessThan(5_000);
    expect((await app.api.get('/health/live')).status).toBe(200);
  });

  it.each(REQUESTS)('%s: 503 at once, worth repeating, without a word of the driver', async (_, request) => {
    const { answer, ms } = await timed(() => request(newTaskId()));
    expect(answer).toMatchObject({
      status: 503,
      text: '{"code":50301,"msg":"数据库暂时不可用，请稍后重试"}',
    });
    expect(answer.headers.get('Retry-After')).toBe('5');
    expect(answer.headers.get('X-Request-Id')).not.toBeNull();
    expect(ms).toBeLessThan(5_000);
  });

  it('what is wrong with the request itself is still said', async () => {
    expect(await app.api.get('/training/tasks?limit=0')).toMatchObject({
      status: 400,
      body: { code: 40009 },
    });
    expect(await app.api.get('/nothing')).toMatchObject({ status: 404, body: { code: 40405 } });
  });
});

describe('while the database takes no connections', () => {
  const database = () => new URL(app.databaseUrl).pathname.slice(1);

  beforeEach(async () => {
    await onServer(`ALTER DATABASE ${database()} ALLOW_CONNECTIONS false`);
    await onServer(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${database()}'`);
  });
  afterEach(() => onServer(`ALTER DATABASE ${database()} ALLOW_CONNECTIONS true`));

  it('requests are 503 until it does', async () => {
    for (const request of [
      () => app.api.get('/training/tasks'),
      () => app.api.duplicate(newTaskId(), newTaskId()),
    ]) {
      const answer = await request();
      expect(answer).toMatchObject({ status: 503, body: { code: 50301 } });
      expect(answer.headers.get('Retry-After')).toBe('5');
    }
    expect((await app.api.get('/health/ready')).status).toBe(503);
  });
});

describe('when the database comes back', () => {
  it('everything is served again, by the same process', async () => {
    const task = newTaskId();
    await app.api.importCoco(task, aDataSet());
    const before = await app.rowCounts();
    await proxy.cut();
    const lost = newTaskId();
    expect((await app.api.duplicate(task, lost)).status).toBe(503);
    await proxy.restore();
    await isReady();
    expect(await app.rowCounts()).toEqual(before);
    expect((await app.api.duplicate(task, lost)).body).toMatchObject({ code: 0, image_list: [{}, {}, {}] });
  });

  it('more requests than there are connections do not use them up', async () => {
    await proxy.cut();
    const away = await Promise.all(Array.from({ length: 60 }, () => app.api.get('/training/tasks')));
    expect(new Set(away.map(({ status }) => status))).toEqual(new Set([503]));
    await proxy.restore();
    await isReady();
    const served = await Promise.all(Array.from({ length: 60 }, () => app.api.get('/training/tasks')));
    expect(new Set(served.map(({ status }) => status))).toEqual(new Set([200]));
  });
});

describe('while the database says nothing', () => {
  it('ready does not wait for it', async () => {
    proxy.freeze();
    const { answer, ms } = await timed(() => app.api.get('/health/ready'));
    expect(answer).toMatchObject({ status: 503, body: { error: { postgresql: { status: 'down' } } } });
    expect(ms).toBeLessThan(5_000);
    expect((await app.api.get('/health/live')).status).toBe(200);
  });
});
