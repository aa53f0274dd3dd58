import { setTimeout as sleep } from 'node:timers/promises';
import { SAMPLE_COPY_ID, SAMPLE_TASK_ID, sampleDataSet } from '../../src/sample/sample-data-set';
import { newTaskId, type Answer } from '../support/api';
import { aDataSet } from '../support/data-set';
import { embeddedDatabase, externalDatabase, HeldWrites, query, serverProcesses } from './support/database';
import { eventually } from '../support/eventually';
import { cleanUp, Program, ROOT, tempFolder } from './support/program';
import { RawConnection } from './support/raw-connection';
import { ServiceProcess } from './support/service-process';

afterAll(cleanUp);

interface Busy {
  readonly database: string;
  readonly service: ServiceProcess;
  readonly source: string;
  readonly target: string;
  readonly held: HeldWrites;
  /** What the client of the running duplication gets in the end; undefined where it is cut off. */
  readonly answer: Promise<Answer | undefined>;
}

/** A service in the middle of a duplication, which is held up in the database. */
async function busyService(env: Record<string, string> = {}): Promise<Busy> {
  const database = await externalDatabase();
  const service = await ServiceProcess.start({ DATABASE_URL: database, ...env });
  const [source, target] = [newTaskId(), newTaskId()];
  expect((await service.api.importCoco(source, sampleDataSet())).status).toBe(200);
  const held = await HeldWrites.in(database);
  const answer = service.api.duplicate(source, target).catch(() => undefined);
  await held.arrived();
  return { database, service, source, target, held, answer };
}

describe('told to stop in the middle of a duplication', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('%s lets it end and refuses what is new', async (signal) => {
    const { database, service, target, held, answer } = await busyService();
    const ended = service.stop(signal);
    await eventually('it refuses connections', () => service.isClosed());
    expect(service.program.hasEnded).toBe(false);
    await held.release();
    const releasedAt = Date.now();
    expect((await answer)?.body).toMatchObject({ code: 0, msg: '复制任务成功' });
    expect(await ended).toMatchObject({ code: 0, signal: null, stderr: '' });
    // The connection that a client keeps open for its next request does not hold it up.
    expect(Date.now() - releasedAt).toBeLessThan(3_000);
    expect(await stateOf(database, target)).toBe('done');
  });

  it('answers 503 to what comes on a connection that it keeps for a running upload', async () => {
    const service = await ServiceProcess.start({ DATABASE_URL: await externalDatabase() });
    const connection = await RawConnection.to(service.url);
    const file = JSON.stringify(aDataSet());
    connection.write(
      `PUT /training/tasks/${newTaskId()}/coco?task_type=1 HTTP/1.1\r\nHost: x\r\nContent-Length: ${file.length}\r\n\r\n`,
    );
    connection.write(file.slice(0, 100));
    // Connections are served in their order: this one has been accepted when a later one is answered.
    expect((await service.api.get('/health/live')).status).toBe(200);
    const ended = service.stop();
    await eventually('it refuses connections', () => service.isClosed());
    connection.write(`${file.slice(100)}GET /training/tasks HTTP/1.1\r\nHost: x\r\n\r\n`);
    const received = await connection.closed;
    expect(received).toMatch(/^HTTP\/1.1 200 .*"images":3.*HTTP\/1.1 503 .*Retry-After: 5.*"code":50302/s);
    expect(await ended).toMatchObject({ code: 0, stderr: '' });
  });

  it('cuts after SHUTDOWN_S what takes longer, and rolls it back', async () => {
    const { database, service, source, target, held, answer } = await busyService({ SHUTDOWN_S: '1' });
    // Another one waits for the lock of the first: it must not begin when that one is cut.
    const [now] = await query<{ text: string }>(database, 'SELECT clock_timestamp()::text AS text');
    const waiting = service.api.duplicate(source, target).catch(() => undefined);
    await eventually('the second has tried the lock', async () => {
      const tried = `query LIKE 'SELECT pg_advisory_unlock_all%' AND state_change > '${now!.text}'`;
      return (await query(database, `SELECT FROM pg_stat_activity WHERE ${tried}`)).length > 0;
    });
    const stoppedAt = Date.now();
    expect((await service.stop()).code).toBe(0);
    expect(Date.now() - stoppedAt).toBeGreaterThan(900);
    expect(Date.now() - stoppedAt).toBeLessThan(3_000);
    expect(await answer).toBeUndefined();
    expect(await waiting).toBeUndefined();
    await held.release();
    await eventually('its sessions have gone', async () => {
      const others = `datname = current_database() AND pid <> pg_backend_pid()`;
      return (await query(database, `SELECT FROM pg_stat_activity WHERE ${others}`)).length === 0;
    });
    expect(await query(database, `SELECT FROM task WHERE task_id = ${target}`)).toEqual([]);
    expect(await stateOf(database, target)).not.toBe('done');
  });

  it('does not wait for a read that the database does not answer', async () => {
    const database = await externalDatabase();
    const service = await ServiceProcess.start({ DATABASE_URL: database, SHUTDOWN_S: '0' });
    const held = await HeldWrites.in(database, 'task', 'ACCESS EXCLUSIVE');
    const answer = service.api.get('/training/tasks').catch(() => undefined);
    await held.arrived();
    const stoppedAt = Date.now();
    expect((await service.stop()).code).toBe(0);
    expect(Date.now() - stoppedAt).toBeLessThan(5_000);
    expect(await answer).toBeUndefined();
    await held.release();
  });
});

describe('Ctrl-C under npm start', () => {
  it('reaches the service twice, and still lets a duplication end', async () => {
    const folder = await tempFolder();
    const npm = Program.spawn('npm', ['start'], {
      cwd: ROOT,
      env: { PORT: '0', DATA_DIR: folder, HOME: folder },
    });
    const service = await ServiceProcess.of(npm);
    const held = await HeldWrites.in(embeddedDatabase(folder));
    const answer = service.api.duplicate(SAMPLE_TASK_ID, SAMPLE_COPY_ID);
    await held.arrived();
    // From the terminal, and passed on by npm, milliseconds later; signals that come at once count as one.
    for (let times = 0; times < 4; times++, await sleep(10)) npm.killGroup('SIGINT');
    await eventually('it refuses connections', () => service.isClosed());
    await held.release();
    expect((await answer).body).toMatchObject({ code: 0, msg: '复制任务成功' });
    const { stdout } = await npm.ended;
    expect(stdout).toContain('"event":"stopped"');
    expect(serverProcesses(folder)).toEqual([]);
  });
});

async function stateOf(database: string, target: string): Promise<string | undefined> {
  const sql = `SELECT state FROM task_duplication WHERE task_id = ${target}`;
  const [row] = await query<{ state: string }>(database, sql);
  return row?.state;
}
