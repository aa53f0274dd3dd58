import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import mongoose from 'mongoose';
import { Client } from 'pg';
import { EmbeddedPostgres } from '../src/database/embedded/embedded-postgres';
import { findMongod } from '../test/support/find-mongod';
import { Mongod } from '../test/support/mongod';

const { MongoClient } = mongoose.mongo;

/** Where the databases of a benchmark are; both servers keep what they have committed. */
export interface Servers {
  readonly postgresUrl: string;
  readonly mongodUri: string | undefined;
  stop(): Promise<void>;
}

/**
 * Throwaway data on servers with their ordinary settings: `fsync` is on, and MongoDB has the cache that it takes by itself.
 * @param binary of mongod; undefined: without MongoDB
 */
export async function startServers(binary: string | undefined): Promise<Servers> {
  const folder = await mkdtemp(path.join(tmpdir(), 'training-tasks-bench-'));
  // Root runs PostgreSQL as another user, who has to come through.
  await chmod(folder, 0o711);
  const started: { stop(): Promise<void> }[] = [];
  const stop = async (): Promise<void> => {
    for (const server of started.splice(0).reverse()) await server.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 20 });
  };
  try {
    const postgres = await startPostgres(path.join(folder, 'postgresql'));
    started.push(postgres);
    let mongod: Mongod | undefined;
    if (binary !== undefined) {
      mongod = await Mongod.start({ folder: path.join(folder, 'mongod'), binary, isOrdinary: true });
      started.push(mongod);
    }
    return { postgresUrl: postgres.url, mongodUri: mongod?.uri, stop };
  } catch (fault) {
    await stop();
    throw fault;
  }
}

/** A mongod that runs here, fetched where there is none. @throws MongodMissing */
export function mongodBinary(): Promise<string> {
  return findMongod(true);
}

/** That PostgreSQL remembers when a transaction was committed, and can count what statements take, needs a start of its own. */
async function startPostgres(dataDir: string): Promise<EmbeddedPostgres> {
  const first = await EmbeddedPostgres.start({ dataDir, durable: true });
  await onPostgres(first.url, async (client) => {
    await client.query('ALTER SYSTEM SET track_commit_timestamp = on');
    await client.query('ALTER SYSTEM SET shared_preload_libraries = pg_stat_statements');
  });
  await first.stop();
  const postgres = await EmbeddedPostgres.start({ dataDir, durable: true });
  // It costs nothing where nobody has asked for it.
  await onPostgres(postgres.url, (client) =>
    client.query(`ALTER SYSTEM SET pg_stat_statements.track = 'none'`),
  );
  await onPostgres(postgres.url, (client) => client.query('SELECT pg_reload_conf()'));
  return postgres;
}

export async function onPostgres<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  // At Ctrl-C the server goes first; whoever waits for an answer is told by his own query.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

export type MongoDb = mongoose.mongo.Db;

/** The client of a bare driver, as a measurement of the database alone uses it. */
export async function onMongo<T>(uri: string, work: (db: MongoDb) => Promise<T>): Promise<T> {
  const client = await new MongoClient(uri).connect();
  try {
    return await work(client.db());
  } finally {
    await client.close();
  }
}
