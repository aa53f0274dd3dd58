import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import path from 'node:path';
import { Client } from 'pg';
import { SAMPLE_TASK_ID } from '../../src/sample/sample-data-set';
import { urlOf } from '../support/test-database';
import { closedProject } from './support/closed-project';
import { externalDatabase, query } from './support/database';
import { eventually } from '../support/eventually';
import { cleanUp, ROOT, run, tempFolder, type Ended } from './support/program';
import { ServiceProcess } from './support/service-process';

const PASSWORD = 'geheim-7391';
const SOCKET_URL = /^postgresql:\/\/postgres@([^/]+)\//;

let taken: Server;
beforeAll(async () => {
  taken = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1');
  await once(taken, 'listening');
});
afterAll(async () => {
  taken.close();
  await cleanUp();
});

const takenPort = () => String((taken.address() as AddressInfo).port);

/** A start that ends with one plain sentence for the operator, and nothing else. */
function expectRefused({ code, stdout, stderr }: Ended, sentence: RegExp): void {
  expect(stderr).toMatch(/^\S[^\n]+[.:]\n$/);
  expect(stderr).toMatch(sentence);
  expect(stderr).not.toContain('Error:');
  expect(stderr).not.toContain(PASSWORD);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
}

/** With another user, password or database. */
function changed(url: string, user: string, database: string): string {
  return url.replace(SOCKET_URL, `postgresql://${user}@$1/`).replace('/postgres?', `/${database}?`);
}

describe('a start that cannot go on says why in one sentence', () => {
  it('another service on the same data: names DATA_DIR', async () => {
    const folder = await tempFolder();
    const service = await ServiceProcess.start({ DATA_DIR: folder });
    const second = await run(['serve'], { env: { DATA_DIR: folder, PORT: '0' } });
    expectRefused(second, new RegExp(`^Another service is using the data in ${folder}/.*DATA_DIR`));
    // The first one has not noticed.
    expect((await service.api.get(`/training/tasks/${SAMPLE_TASK_ID}`)).status).toBe(200);
    expect((await service.stop()).code).toBe(0);
  });

  it('the port is taken: names PORT', async () => {
    const env = { DATABASE_URL: await externalDatabase(), PORT: takenPort() };
    expectRefused(await run(['serve'], { env }), /^Port \d+ is taken .* set PORT /);
  });

  it('no such host to listen on: names HOST', async () => {
    const env = { DATABASE_URL: await externalDatabase(), PORT: '0', HOST: '192.0.2.1' };
    expectRefused(await run(['serve'], { env }), /^192\.0\.2\.1 is no address of this machine: set HOST /);
  });

  it.each([
    ['nobody listens', () => '127.0.0.1:1', /cannot be reached \(connect ECONNREFUSED 127.0.0.1:1\)/],
    ['no PostgreSQL listens', () => `127.0.0.1:${takenPort()}`, /cannot be (reached|used)/],
    ['the host is unknown', () => 'nowhere.invalid', /cannot be reached/],
  ])('%s at DATABASE_URL', async (_, address, sentence) => {
    const env = { DATABASE_URL: `postgresql://someone:${PASSWORD}@${address()}/data` };
    const ended = await run(['serve'], { env });
    expectRefused(ended, sentence);
    expect(ended.stderr).toMatch(
      /^The PostgreSQL server at postgresql:\/\/[\w.:]+\/data .* check DATABASE_URL\.\n$/,
    );
  });

  it('wrong password, none, no such user, no such database', async () => {
    const server = urlOf('postgres');
    await query(server, `CREATE ROLE guarded LOGIN PASSWORD 'right'`);
    await onlyWithPassword(server, 'guarded');
    const refusals = [
      [
        changed(server, `guarded:${PASSWORD}`, 'postgres'),
        /password authentication failed for user "guarded"/,
      ],
      [changed(server, 'guarded', 'postgres'), /password/],
      [changed(server, `nobody_here:${PASSWORD}`, 'postgres'), /role "nobody_here" does not exist/],
      [changed(server, `postgres:${PASSWORD}`, 'none'), /database "none" does not exist/],
      // Who may read but not make tables.
      [
        changed(await externalDatabase({ migrated: false }), 'guarded:right', 'postgres'),
        /permission denied.*migrate/,
      ],
    ] as const;
    for (const [url, sentence] of refusals) {
      const ended = await run(['serve'], { env: { DATABASE_URL: url } });
      expectRefused(ended, sentence);
      expect(ended.stderr).not.toContain('right@');
    }
  });

  it('MONGODB_URI names no database', async () => {
    const env = { MONGODB_URI: `mongodb://someone:${PASSWORD}@localhost` };
    expectRefused(await run(['serve'], { env }), /MONGODB_URI must be an address such as/);
  });

  it('several faults in the environment, all at once', async () => {
    const env = {
      PORT: '80000',
      SHUTDOWN_S: 'soon',
      CORS_ORIGINS: '*',
      SAMPLE_DATA: '1',
      // Not encoded: it is no address, and neither it nor a part of it is repeated.
      DATABASE_URL: `postgresql://someone:${PASSWORD}%zz@localhost/data`,
    };
    const ended = await run(['serve'], { env });
    expectRefused(
      ended,
      /PORT must.*CORS_ORIGINS must.*DATABASE_URL must.*SAMPLE_DATA must.*SHUTDOWN_S must/,
    );
  });

  it('DATA_DIR is no folder', async () => {
    const file = path.join(await tempFolder(), 'file');
    await writeFile(file, '');
    expectRefused(
      await run(['serve'], { env: { DATA_DIR: file } }),
      /^The embedded PostgreSQL cannot start .*DATA_DIR/,
    );
  });

  it('there is no PostgreSQL for this platform: names DATABASE_URL', async () => {
    const { main } = await closedProject({ withPostgres: false });
    const ended = await run(['serve'], { main, env: { DATA_DIR: await tempFolder() } });
    expectRefused(ended, /^There is no PostgreSQL that runs on this platform .*DATABASE_URL/);
  });

  it('Node is too old', async () => {
    const versions = `Object.defineProperty(process, 'versions', { value: { node: '18.20.8' } })`;
    const ended = await run(['serve'], {
      main: path.join(ROOT, 'scripts/run.mjs'),
      nodeArgs: ['--import', `data:text/javascript,${versions}`],
    });
    expectRefused(ended, /^Node.js 18.20.8 is too old .*install Node.js/);
  });

  it('no tables and MIGRATIONS_RUN=false: says to run migrate, which makes them', async () => {
    const env = {
      DATABASE_URL: await externalDatabase({ migrated: false }),
      MIGRATIONS_RUN: 'false',
      PORT: '0',
    };
    expectRefused(await run(['serve'], { env }), /run `npm run cli -- migrate`/);

    // Several nodes may do so at once: one does, the others wait for its lock.
    const first = new Client({ connectionString: env.DATABASE_URL });
    await first.connect();
    await first.query('SELECT pg_advisory_lock(1)');
    const migrations = [1, 2, 3].map(() => run(['migrate'], { env }));
    await eventually('all of them wait', async () => {
      const { rowCount } = await first.query(
        `SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database =
           (SELECT oid FROM pg_database WHERE datname = current_database())`,
      );
      return rowCount === 3;
    });
    await first.end();
    for (const migration of await Promise.all(migrations)) {
      expect(migration).toMatchObject({ code: 0, stdout: 'The tables are up to date.\n', stderr: '' });
    }
    const service = await ServiceProcess.start(env);
    // The sample goes into an embedded database only.
    expect((await service.api.get('/training/tasks')).body['task_list']).toEqual([]);
    expect(await service.stop()).toMatchObject({ code: 0, stderr: '' });
  });
});

async function onlyWithPassword(server: string, role: string): Promise<void> {
  const [row] = await query<{ hba_file: string }>(server, 'SHOW hba_file');
  const file = row!.hba_file;
  await writeFile(file, `local all ${role} scram-sha-256\n${await readFile(file, 'utf8')}`);
  await query(server, 'SELECT pg_reload_conf()');
}
