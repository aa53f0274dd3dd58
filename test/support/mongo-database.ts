import { randomBytes } from 'node:crypto';
import mongoose from 'mongoose';
import { findMongod, MongodMissing } from './find-mongod';
import { Mongod } from './mongod';

const { MongoClient } = mongoose.mongo;
const CONNECT_MS = 10_000;

export interface MongoDatabase {
  /** As MONGODB_URI of the service. */
  readonly uri: string;
  drop(): Promise<unknown>;
}

/** A database of its own on the MongoDB of all tests; it comes into being with the first document. */
export function mongoDatabase(): MongoDatabase {
  const server = process.env['TEST_MONGODB_URI'];
  if (server === undefined) throw new Error('there is no MongoDB: suites stand in describeInEachMode()');
  const uri = addressOf(server, `test_${randomBytes(6).toString('hex')}`);
  return { uri, drop: () => onServer(uri, (client) => client.db().dropDatabase()) };
}

/**
 * One MongoDB for all tests: MONGODB_TEST_URI, else a mongod that is started here. The processes of the test files
 * learn from the environment what there is.
 * @returns what is to be stopped after the tests
 */
export async function startMongoDb(): Promise<Mongod | undefined> {
  const given = process.env['MONGODB_TEST_URI'];
  if (given) await useServer(given);
  try {
    // Beside a given server only the suites that kill their own need one: not worth a download, but in CI all are run.
    process.env['TEST_MONGOD_BINARY'] = await findMongod(!given || Boolean(process.env['CI']));
  } catch (fault) {
    if (!(fault instanceof MongodMissing)) throw fault;
    tellMissing(fault.message, given ? ['MONGOD_BINARY'] : ['MONGOD_BINARY', 'MONGODB_TEST_URI']);
    return undefined;
  }
  if (given) return undefined;
  const mongod = await Mongod.start();
  process.env['TEST_MONGODB_URI'] = mongod.uri;
  return mongod;
}

async function useServer(uri: string): Promise<void> {
  const hello = onServer(uri, (client) => client.db('admin').command({ hello: 1 }));
  const { setName } = await hello.catch((fault: unknown) => {
    throw new Error(`MONGODB_TEST_URI: ${(fault as Error).message}`, { cause: fault });
  });
  if (setName === undefined) throw new Error('MONGODB_TEST_URI is not the address of a replica set');
  process.env['TEST_MONGODB_URI'] = uri;
}

function tellMissing(reason: string, remedies: string[]): void {
  const remedy = `set ${remedies.join(' or ')}`;
  process.env['TEST_MONGOD_MISSING'] = remedy;
  process.stderr.write(`There is no MongoDB for all of the tests: ${remedy}. (${reason})\n`);
}

/** As text, because a URL has but one host. A user in it needs `authSource`: without it, it would be this database. */
function addressOf(server: string, database: string): string {
  return server.replace(/^(mongodb(?:\+srv)?:\/\/[^/?]+)(?:\/[^?]*)?/, `$1/${database}`);
}

async function onServer<T>(
  uri: string,
  work: (client: InstanceType<typeof MongoClient>) => Promise<T>,
): Promise<T> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: CONNECT_MS });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}
