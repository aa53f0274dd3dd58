import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import mongoose from 'mongoose';
import { Client } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';

const { MongoClient, ObjectId } = mongoose.mongo;

/** The rows of each table, as COPY writes them. */
export type PostgresDump = ReadonlyMap<string, Buffer>;
/** The documents of each collection, every BSON type as it is. */
export type MongoDump = ReadonlyMap<string, readonly mongoose.mongo.BSON.Document[]>;

/**
 * What pg_dump does: all tables in one snapshot, while others go on writing. It is not at hand itself: the embedded server
 * comes without it, and one of an older version refuses a newer server.
 */
export function dumpPostgres(url: string): Promise<PostgresDump> {
  return onPostgres(url, async (client) => {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const dump = new Map<string, Buffer>();
    for (const table of await tablesOf(client)) {
      dump.set(table, await buffer(client.query(copyTo(`COPY ${table} TO STDOUT`))));
    }
    await client.query('COMMIT');
    return dump;
  });
}

/** Into a database that has the tables. */
export function restorePostgres(url: string, dump: PostgresDump): Promise<void> {
  return onPostgres(url, async (client) => {
    // Triggers check what comes in, in an order that a dump does not have.
    await client.query('SET session_replication_role = replica');
    await client.query(`TRUNCATE ${[...dump.keys()].join(', ')}`);
    for (const [table, rows] of dump) {
      await pipeline(Readable.from([rows]), client.query(copyFrom(`COPY ${table} FROM STDIN`)));
    }
    for (const table of ['label_class', 'document_garbage']) {
      await client.query(
        `SELECT setval(pg_get_serial_sequence('${table}', 'id'), coalesce(max(id), 0) + 1, false) FROM ${table}`,
      );
    }
  });
}

/** What mongodump does, one document after the other. */
export function dumpMongo(uri: string): Promise<MongoDump> {
  return onMongo(uri, async (db) => {
    const dump = new Map<string, mongoose.mongo.BSON.Document[]>();
    for (const { collectionName, collection } of await collectionsOf(db)) {
      dump.set(collectionName, await collection.find({}, { promoteValues: false }).toArray());
    }
    return dump;
  });
}

export function restoreMongo(uri: string, dump: MongoDump): Promise<void> {
  return onMongo(uri, async (db) => {
    for (const [name, documents] of dump) await db.collection(name).insertMany([...documents]);
  });
}

/** The steps of docs/operations.md after a restore, as they stand there. */
export async function followRestoreSteps(url: string, mongodbUri: string | undefined): Promise<void> {
  const [shown, raised] = stepsIn('sql');
  const { rows } = await onPostgres(url, (client) => client.query<Shown>(shown!));
  if (mongodbUri !== undefined) await removeUnknown(mongodbUri, stepsIn('js')[0]!, rows[0]!);
  await onPostgres(url, (client) => client.query(raised!));
}

interface Shown {
  readonly document_prefix: string;
  readonly last_number: string;
}

/** As mongosh runs it, which waits for each answer by itself. */
function removeUnknown(uri: string, step: string, { document_prefix, last_number }: Shown): Promise<unknown> {
  const script = step
    .replace(/^const prefix = .*$/m, `const prefix = '${document_prefix}';`)
    .replace(/^const lastNumber = .*$/m, `const lastNumber = ${last_number};`)
    .replaceAll(/^db\./gm, 'await db.');
  return onMongo(uri, (db) => {
    const run = new AsyncFunction('db', 'ObjectId', script);
    return run({ labeled_image: db.collection('labeled_image') }, (id: string) => new ObjectId(id));
  });
}

const AsyncFunction = (async () => await Promise.resolve()).constructor as new (
  ...args: string[]
) => (...values: unknown[]) => Promise<unknown>;

function stepsIn(language: 'sql' | 'js'): string[] {
  const docs = readFileSync(path.join(__dirname, '../../../docs/operations.md'), 'utf8');
  const section = docs.slice(docs.indexOf('### After a restore'));
  return [...section.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(
    ([, step]) => step!,
  );
}

async function tablesOf(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT relname AS name
     FROM pg_class
     WHERE relkind = 'r'
       AND relnamespace = 'public'::regnamespace
     ORDER BY relname`,
  );
  return rows.map(({ name }) => name);
}

async function collectionsOf(db: mongoose.mongo.Db) {
  const names = await db.listCollections({}, { nameOnly: true }).toArray();
  return names.map(({ name }) => ({ collectionName: name, collection: db.collection(name) }));
}

async function onPostgres<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function onMongo<T>(uri: string, work: (db: mongoose.mongo.Db) => Promise<T>): Promise<T> {
  const client = new MongoClient(uri);
  try {
    return await work(client.db());
  } finally {
    await client.close();
  }
}
