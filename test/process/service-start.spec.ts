import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { SAMPLE_COPY_ID, SAMPLE_TASK_ID } from '../../src/sample/sample-data-set';
import { closedProject } from './support/closed-project';
import {
  embeddedDatabase,
  HeldWrites,
  isRunning,
  serverProcess,
  serverProcesses,
  socketFolders,
} from './support/database';
import { eventually } from '../support/eventually';
import { cleanUp, plainUser, Program, tempFolder } from './support/program';
import { ServiceProcess } from './support/service-process';

afterAll(cleanUp);

const isRoot = process.getuid?.() === 0;
const user = plainUser();

describe('a start with no configuration in an empty folder', () => {
  it('shows a line to paste that duplicates the sample task, and keeps the data', async () => {
    const folder = await tempFolder();
    const first = await ServiceProcess.start({}, { cwd: folder });
    const [, line, body] = await first.program.prints(/(curl -s \S+ -H '[^']+' -d '([^']+)')\n/);
    const pasted = spawnSync('sh', ['-c', line!], { encoding: 'utf8' });
    // Where there is no curl, the request that it would send.
    const answer =
      pasted.status === 127 ? (await first.api.post(DUPLICATION, JSON.parse(body!))).text : pasted.stdout;
    expect(JSON.parse(answer)).toMatchObject({ code: 0, msg: '复制任务成功', task_type: 1 });
    expect(JSON.parse(answer).image_list).toHaveLength(36);
    expect(await first.stop()).toMatchObject({ code: 0, stderr: '' });
    expect(serverProcesses(path.join(folder, '.data'))).toEqual([]);

    const second = await ServiceProcess.start({}, { cwd: folder });
    const again = await second.api.duplicate(SAMPLE_TASK_ID, SAMPLE_COPY_ID);
    expect(again.headers.get('Idempotency-Replayed')).toBe('true');
    expect(again.text).toBe(answer);
    expect((await second.api.get('/training/tasks')).body['task_list']).toHaveLength(2);
    expect((await second.stop()).code).toBe(0);
  });

  const asPlainUser = user ? it : it.skip;
  asPlainUser('works as a plain user, in a folder that nobody else may enter', async () => {
    const folder = await tempFolder(0o700, user);
    const service = await ServiceProcess.start({}, { cwd: folder, account: user });
    expect((await service.api.duplicate(SAMPLE_TASK_ID, SAMPLE_COPY_ID)).status).toBe(200);
    expect(serverProcesses(path.join(folder, '.data')).length).toBeGreaterThan(1);
    expect(await service.stop('SIGINT')).toMatchObject({ code: 0, stderr: '' });
    expect(serverProcesses(path.join(folder, '.data'))).toEqual([]);
  });

  const asRoot = isRoot ? it : it.skip;
  asRoot('works as root in a project under a closed folder, installed with --ignore-scripts', async () => {
    const { main, folder } = await closedProject();
    const first = await ServiceProcess.start({}, { main, cwd: folder });
    expect(first.program.stdout).toMatch(/the data are in \/var\/lib\/training-tasks\//);
    expect((await first.api.duplicate(SAMPLE_TASK_ID, SAMPLE_COPY_ID)).status).toBe(200);
    expect((await first.stop()).code).toBe(0);
    const second = await ServiceProcess.start({}, { main, cwd: folder });
    expect((await second.api.get(`/training/tasks/${SAMPLE_COPY_ID}`)).status).toBe(200);
    expect((await second.stop()).code).toBe(0);
  });
});

describe('after kill -9 of the service', () => {
  it('in the middle of a duplication the target is untouched and the retry copies', async () => {
    const folder = await tempFolder();
    const killed = await ServiceProcess.start({ DATA_DIR: folder });
    const tasks = (await killed.api.get('/training/tasks')).text;
    const held = await HeldWrites.in(embeddedDatabase(folder));
    const answer = killed.api.duplicate(SAMPLE_TASK_ID, SAMPLE_COPY_ID).catch(() => 'cut off');
    await held.arrived();
    const status = await killed.api.get(`/training/tasks/${SAMPLE_COPY_ID}/duplication`);
    expect(status.body).toMatchObject({ state: 'running', image_count: 36, finished_at: null });
    const server = serverProcess(folder);
    const before = new Set(socketFolders());
    process.kill(server, 'SIGSTOP');
    await killed.stop('SIGKILL');
    expect(await answer).toBe('cut off');

    // At once: it is about to try in vain, before the old server goes.
    const starting = Program.start(['serve'], { env: { PORT: '0', DATA_DIR: folder } });
    try {
      await eventually('the next one is starting its server', () =>
        socketFolders().some((name) => !before.has(name)),
      );
    } finally {
      process.kill(server, 'SIGCONT');
    }
    const next = await ServiceProcess.of(starting);
    await eventually('the old server has gone', () => !isRunning(server), 5_000);
    expect((await next.api.get('/training/tasks')).text).toBe(tasks);
    const failed = await next.api.get(`/training/tasks/${SAMPLE_COPY_ID}/duplication`);
    expect(failed.body).toMatchObject({ state: 'failed' });
    const retry = await next.api.duplicate(SAMPLE_TASK_ID, SAMPLE_COPY_ID);
    expect(retry.status).toBe(200);
    expect(retry.headers.get('Idempotency-Replayed')).toBeNull();
    expect(retry.body['image_list']).toHaveLength(36);

    expect(serverProcesses(folder).length).toBeGreaterThan(1);
    await next.stop('SIGKILL');
    await eventually('no server is left behind', () => serverProcesses(folder).length === 0, 10_000);
  });
});

describe('when the embedded server is killed', () => {
  it('the service ends and says why', async () => {
    const folder = await tempFolder();
    const service = await ServiceProcess.start({ DATA_DIR: folder });
    process.kill(serverProcess(folder), 'SIGKILL');
    const { code, stderr } = await service.program.ended;
    expect(code).toBe(1);
    expect(stderr).toContain('PostgreSQL ended (SIGKILL)');
    await eventually('its backends have gone', () => serverProcesses(folder).length === 0, 10_000);

    const next = await ServiceProcess.start({ DATA_DIR: folder });
    expect((await next.api.get(`/training/tasks/${SAMPLE_TASK_ID}`)).status).toBe(200);
    await next.stop();
  });
});

const DUPLICATION = '/training/tasks/duplication';
