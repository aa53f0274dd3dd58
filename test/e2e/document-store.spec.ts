import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import mongoose from 'mongoose';
import { Client } from 'pg';
import { loadEnvironment } from '../../src/config/environment';
import { StartError } from '../../src/config/start-error';
import { Service } from '../../src/service';
import { Api, newTaskId } from '../support/api';
import { aDataSet } from '../support/data-set';
import { describeWithMongod, describeWithMongoDb } from '../support/document-mode';
import { eventually } from '../support/eventually';
import { mongoDatabase, type MongoDatabase } from '../support/mongo-database';
import { Mongod } from '../support/mongod';
import { createDatabase, dropDatabase, TEMPLATE } from '../support/test-database';

const { MongoClient } = mongoose.mongo;

let postgres: { readonly name: string; readonly url: string };

beforeEach(async () => {
  const name = `test_${randomBytes(6).toString('hex')}`;
  postgres = { name, url: await createDatabase(name, TEMPLATE) };
});
afterEach(() => dropDatabase(postgres.name));

function start(mongodbUri = '', variables: Record<string, string> = {}): Promise<Service> {
  const environment = { DATABASE_URL: postgres.url, MONGODB_URI: mongodbUri, PORT: '0', ...variables };
  return Service.start(loadEnvironment(environment), { quiet: true });
}

async function whileStarted<T>(uri: string, work: (api: Api) => Promise<T>): Promise<T> {
  const service = await start(uri);
  try {
    return await work(new Api(service.url));
  } finally {
    await service.stop();
  }
}

/** A start that ends with a sentence for the operator, and no session of whose is left. */
async function expectRefused(uri: string, sentence: RegExp): Promise<void> {
  const fault: unknown = await start(uri).then(
    (service) => service.stop(),
    (thrown: unknown) => thrown,
  );
  expect(fault).toBeInstanceOf(StartError);
  expect((fault as Error).message).toMatch(sentence);
  expect((fault as Error).message).not.toContain('geheim');
  await eventually('no session is left', async () => (await sessions()) === 0, 5_000);
}

async function onPostgres<Row>(sql: string): Promise<Row[]> {
  const client = new Client({ connectionString: postgres.url, application_name: 'test' });
  await client.connect();
  try {
    return (await client.query(sql)).rows as Row[];
  } finally {
    await client.end();
  }
}

async function sessions(): Promise<number> {
  const rows = await onPostgres(
    `SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name <> 'test'
       AND backend_type = 'client backend'`,
  );
  return rows.length;
}

async function recordedStore(): Promise<string> {
  const [row] = await onPostgres<{ document_store: string }>(`SELECT document_store FROM installation`);
  return row!.document_store;
}

describeWithMongoDb('where the documents are', () => {
  let mongo: MongoDatabase;
  let client: InstanceType<typeof MongoClient>;

  beforeEach(() => {
    mongo = mongoDatabase();
    client = new MongoClient(mongo.uri);
  });
  afterEach(async () => {
    await client.close();
    await mongo.drop();
  });

  const importOne = async (api: Api): Promise<void> => {
    expect((await api.importCoco(newTaskId(), aDataSet())).status).toBe(200);
  };

  it('a new installation marks its MongoDB, makes the index, and finds both again', async () => {
    await whileStarted(mongo.uri, importOne);
    const [row] = await onPostgres<{ id: string; document_prefix: string; document_store: string }>(
      `SELECT id, document_prefix, document_store FROM installation`,
    );
    expect(row!.document_store).toBe('mongodb');
    expect(await client.db().collection('meta').find().toArray()).toEqual([
      { _id: 'installation', installation_id: row!.id, document_prefix: row!.document_prefix },
    ]);
    const indexes = await client.db().collection('labeled_image').indexes();
    expect(indexes.map(({ key }) => key)).toContainEqual({ task_id: 1, _id: 1 });
    expect(await client.db().collection('labeled_image').countDocuments()).toBeGreaterThan(0);
    await whileStarted(mongo.uri, importOne);
    // No session is left, of a start that went well neither.
    await eventually('all connections are closed', async () => (await sessions()) === 0, 5_000);
  });

  it('several nodes of it may start at once', async () => {
    const services = await Promise.all(Array.from({ length: 4 }, () => start(mongo.uri)));
    await Promise.all(services.map((service) => service.stop()));
    expect(await client.db().collection('meta').countDocuments()).toBe(1);
  });

  it('the MongoDB of another installation is refused', async () => {
    await whileStarted(mongo.uri, () => Promise.resolve());
    await onPostgres(`UPDATE installation SET id = gen_random_uuid()`);
    await expectRefused(mongo.uri, /belongs to another installation.*a database of its own/);
  });

  it('documents in PostgreSQL keep it there, none do not', async () => {
    await whileStarted('', importOne);
    await expectRefused(mongo.uri, /are in PostgreSQL.*MONGODB_URI.*unset it/);
    expect(await recordedStore()).toBe('postgresql');
    await onPostgres(`DELETE FROM labeled_image; UPDATE image SET mongo_id = NULL`);
    await whileStarted(mongo.uri, importOne);
    expect(await recordedStore()).toBe('mongodb');
  });

  it('documents in MongoDB keep it there: without MONGODB_URI the start is refused', async () => {
    await whileStarted(mongo.uri, importOne);
    await expectRefused('', /are in MongoDB: set MONGODB_URI/);
    await onPostgres(`UPDATE image SET mongo_id = NULL`);
    await onPostgres(
      `INSERT INTO document_garbage (task_id, first_id, last_id, reason, made_by)
       VALUES (1, repeat('0', 24), repeat('f', 24), 'deleted', 1)`,
    );
    await expectRefused('', /are in MongoDB: set MONGODB_URI/);
    await onPostgres(`DELETE FROM document_garbage`);
    await whileStarted('', importOne);
    expect(await recordedStore()).toBe('postgresql');
  });

  it('an empty MongoDB in place of the one with the documents is refused, and stays empty', async () => {
    await whileStarted(mongo.uri, importOne);
    const wrong = mongoDatabase();
    await expectRefused(wrong.uri, /not in the one that MONGODB_URI names.*correct the address/);
    await client.db().dropDatabase();
    await expectRefused(mongo.uri, /restore that database/);
    expect(await client.db().collections()).toEqual([]);
    await wrong.drop();
  });

  it('a start that fails later leaves no connection', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const appName = `port-taken-${postgres.name}`;
    const PORT = String((taken.address() as AddressInfo).port);
    await expect(start(`${mongo.uri}&appName=${appName}`, { PORT })).rejects.toThrow(StartError);
    taken.close();
    await eventually('no connection is left', async () => {
      const stages = [{ $currentOp: { allUsers: true, idleConnections: true } }, { $match: { appName } }];
      return (await client.db('admin').aggregate(stages).toArray()).length === 0;
    });
    expect(await sessions()).toBe(0);
  });

  it('health names both databases, and is ready', async () => {
    const { status, body } = await whileStarted(mongo.uri, (api) => api.get('/health/ready'));
    expect(status).toBe(200);
    expect(body['info']).toMatchObject({ postgresql: { status: 'up' }, mongodb: { status: 'up' } });
  });
});

describeWithMongod('a MongoDB that cannot be used', () => {
  const servers: ChildProcess[] = [];
  const folders: string[] = [];

  afterAll(async () => {
    for (const server of servers) server.kill('SIGKILL');
    await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
  });

  /** A mongod that is started, and no more. @returns host and port */
  async function bareMongod(...args: string[]): Promise<string> {
    const folder = await mkdtemp(path.join(tmpdir(), 'training-tasks-bare-'));
    folders.push(folder);
    const port = String(20_000 + Math.floor(Math.random() * 12_000));
    const own = ['--dbpath', folder, '--port', port, '--bind_ip', '127.0.0.1', '--nounixsocket'];
    const server = spawn(process.env['TEST_MONGOD_BINARY']!, [...own, ...args], { stdio: 'ignore' });
    servers.push(server);
    const host = `127.0.0.1:${port}`;
    const client = new MongoClient(`mongodb://${host}/?directConnection=true`);
    await eventually('mongod answers', () =>
      client
        .db('admin')
        .command({ hello: 1 })
        .then(
          () => true,
          () => false,
        ),
    );
    await client.close();
    return host;
  }

  it('a standalone server, whether the URI names a replica set or not', async () => {
    const host = await bareMongod();
    for (const parameters of ['', '?replicaSet=rs0', '?directConnection=true'])
      await expectRefused(`mongodb://${host}/x${parameters}`, /--replSet.*rs\.initiate\(\)/);
  });

  it('a replica set that is not initiated', async () => {
    const host = await bareMongod('--replSet', 'rs0');
    for (const parameters of ['', '?replicaSet=rs0'])
      await expectRefused(`mongodb://${host}/x${parameters}`, /rs\.initiate\(\)/);
  });

  it('none at all: names the address, without user and password', async () => {
    await expectRefused(
      'mongodb://someone:geheim@127.0.0.1:1/x?authSource=admin',
      /MongoDB at mongodb:\/\/127\.0\.0\.1:1\/x cannot be reached.*MONGODB_URI/,
    );
  });

  it('a parameter that the driver does not know', async () => {
    await expectRefused('mongodb://127.0.0.1:1/x?compressors=nonsense', /cannot be used.*MONGODB_URI/);
  });
});

describeWithMongod('a MongoDB that goes and comes back', () => {
  it('health names it and nothing else; what needs no document is still served, the rest is 503 meanwhile', async () => {
    const mongod = await Mongod.start();
    const service = await start(mongod.uri.replace('/?', '/x?'));
    const api = new Api(service.url);
    try {
      const task = newTaskId();
      await api.importCoco(task, aDataSet());
      await mongod.kill();
      const { status, body } = await api.get('/health/ready');
      expect(status).toBe(503);
      expect(body).toMatchObject({
        info: { postgresql: { status: 'up' } },
        error: { mongodb: { status: 'down' } },
      });
      expect(Object.keys(body['error'] as object)).toEqual(['mongodb']);
      expect((await api.get(`/training/tasks/${task}/images`)).status).toBe(200);
      const startedAt = performance.now();
      for (const answer of await Promise.all([
        api.duplicate(task, newTaskId()),
        api.importCoco(newTaskId(), aDataSet()),
      ])) {
        expect(answer).toMatchObject({ status: 503, body: { code: 50301 } });
        expect(answer.headers.get('Retry-After')).toBe('5');
      }
      expect(performance.now() - startedAt).toBeLessThan(20_000);
      await mongod.restart();
      await eventually('it is ready again', async () => (await api.get('/health/ready')).status === 200);
      expect((await api.duplicate(task, newTaskId())).status).toBe(200);
    } finally {
      await service.stop();
      await mongod.stop();
    }
  });
});
