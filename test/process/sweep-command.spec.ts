import { newTaskId } from '../support/api';
import { aDataSet } from '../support/data-set';
import { describeInEachMode, type DocumentMode } from '../support/document-mode';
import { mongoDatabase, type MongoDatabase } from '../support/mongo-database';
import { embeddedDatabase, externalDatabase, HeldWrites, query } from './support/database';
import { cleanUp, run, tempFolder, type Ended } from './support/program';
import { ServiceProcess } from './support/service-process';

const NEVER = { SWEEP_INTERVAL_S: '0', SWEEP_KEEP_S: '0' };

afterAll(cleanUp);

function sweep(env: Record<string, string>): Promise<Ended> {
  return run(['sweep'], { env });
}

describeInEachMode('sweep', (mode: DocumentMode) => {
  let mongo: MongoDatabase | undefined;
  let env: { DATABASE_URL: string; MONGODB_URI: string };

  beforeAll(async () => {
    mongo = mode === 'mongodb' ? mongoDatabase() : undefined;
    env = { DATABASE_URL: await externalDatabase(), MONGODB_URI: mongo?.uri ?? '' };
  });
  afterAll(() => mongo?.drop());

  it('marks the copy of a dead process and removes the documents of a deleted task; then there is nothing to do', async () => {
    const service = await ServiceProcess.start({ ...env, ...NEVER });
    const [source, deleted, target] = [newTaskId(), newTaskId(), newTaskId()];
    for (const task of [source, deleted])
      expect((await service.api.importCoco(task, aDataSet())).status).toBe(200);
    expect((await service.api.delete(`/training/tasks/${deleted}`)).status).toBe(200);
    await dieWhileCopying(service, source, target);

    const { code, stdout, stderr } = await sweep({ ...env, SWEEP_KEEP_S: '0' });
    const documents = mode === 'mongodb' ? '3 documents' : '0 documents';
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: `Swept: 1 task whose writes had died, 2 ranges of document ids, ${documents} removed.\n`,
      stderr: '',
    });
    const [attempt] = await query(env.DATABASE_URL, `SELECT state FROM task_duplication`);
    expect(attempt).toEqual({ state: 'failed' });
    expect((await sweep({ ...env, SWEEP_KEEP_S: '0' })).stdout).toBe(
      'Swept: 0 tasks whose writes had died, 0 ranges of document ids, 0 documents removed.\n',
    );
  });

  it('goes beside a running service, keeps what is to be kept, and leaves alone what runs', async () => {
    const service = await ServiceProcess.start({ ...env, ...NEVER });
    const [source, deleted, target] = [newTaskId(), newTaskId(), newTaskId()];
    for (const task of [source, deleted]) await service.api.importCoco(task, aDataSet());
    await service.api.delete(`/training/tasks/${deleted}`);
    const held = await HeldWrites.in(env.DATABASE_URL);
    const answer = service.api.duplicate(source, target);
    await held.arrived();
    expect(await sweep(env)).toMatchObject({
      code: 0,
      stdout: 'Swept: 0 tasks whose writes had died, 0 ranges of document ids, 0 documents removed.\n',
    });
    await held.release();
    expect((await answer).status).toBe(200);
    await service.stop();
  });

  async function dieWhileCopying(service: ServiceProcess, source: string, target: string): Promise<void> {
    const held = await HeldWrites.in(env.DATABASE_URL);
    const answer = service.api.duplicate(source, target).catch(() => undefined);
    await held.arrived();
    await service.stop('SIGKILL');
    await held.release();
    expect(await answer).toBeUndefined();
  }
});

describe('sweep on the embedded database', () => {
  it('is refused while a service has it, and works when that has gone', async () => {
    const folder = await tempFolder();
    const service = await ServiceProcess.start({ DATA_DIR: folder });
    const beside = await sweep({ DATA_DIR: folder });
    expect(beside).toMatchObject({ code: 1, stdout: '' });
    expect(beside.stderr).toMatch(/^Another service is using the data in [^\n]+\n$/);
    expect(await query(embeddedDatabase(folder), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await service.stop();
    expect(await sweep({ DATA_DIR: folder })).toMatchObject({
      code: 0,
      stdout: 'Swept: 0 tasks whose writes had died, 0 ranges of document ids, 0 documents removed.\n',
      stderr: '',
    });
  });
});

describe('sweep', () => {
  it('says in one sentence which database it cannot reach', async () => {
    const { code, stdout, stderr } = await sweep({ DATABASE_URL: 'postgresql://u:geheim@127.0.0.1:1/x' });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /^The PostgreSQL server at postgresql:\/\/127.0.0.1:1\/x cannot be reached [^\n]+\n$/,
    );
  });

  it('--help', async () => {
    const { code, stdout } = await run(['sweep', '--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/remove .*nothing points to.*DATABASE_URL.*MONGODB_URI.*SWEEP_KEEP_S/s);
  });
});
