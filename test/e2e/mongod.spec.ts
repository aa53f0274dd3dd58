import mongoose from 'mongoose';
import { describeWithMongod } from '../support/document-mode';
import { Mongod } from '../support/mongod';

// The fault suites rest on it: a server that lost what it had confirmed would have them blame the service.
describeWithMongod('a mongod of a test', () => {
  let mongod: Mongod;
  let client: InstanceType<typeof mongoose.mongo.MongoClient>;

  beforeAll(async () => {
    mongod = await Mongod.start();
    client = new mongoose.mongo.MongoClient(mongod.uri);
  });
  afterAll(async () => {
    await client.close();
    await mongod.stop();
  });

  it('keeps what a transaction has written over SIGKILL and a restart, at the same address', async () => {
    const documents = client.db('kept').collection('documents');
    await client.withSession((session) =>
      session.withTransaction(() => documents.insertOne({ value: 1 }, { session })),
    );
    const { pid } = mongod;
    await mongod.kill();
    expect(() => process.kill(pid!, 0)).toThrow('ESRCH');
    await mongod.restart();
    expect(await documents.findOne()).toMatchObject({ value: 1 });
  });

  it('fails a command where it is told to', async () => {
    const data = { failCommands: ['ping'], errorCode: 11601 };
    await client.db('admin').command({ configureFailPoint: 'failCommand', mode: { times: 1 }, data });
    await expect(client.db().command({ ping: 1 })).rejects.toMatchObject({ code: 11601 });
    expect(await client.db().command({ ping: 1 })).toMatchObject({ ok: 1 });
  });
});
