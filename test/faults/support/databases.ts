import { randomBytes } from 'node:crypto';
import mongoose from 'mongoose';
import { Pool } from 'pg';
import type { DocumentMode } from '../../support/document-mode';
import { mongoDatabase } from '../../support/mongo-database';
import { createDatabase, dropDatabase, TEMPLATE } from '../../support/test-database';

const { MongoClient } = mongoose.mongo;

/** An annotation document, wherever it is stored. */
export interface StoredDocument {
  readonly id: string;
  readonly taskId: string;
  readonly imageId: string;
  readonly roiId: string | null;
  readonly annotations: readonly Record<string, unknown>[];
}

export interface Addresses {
  readonly databaseUrl: string;
  readonly mongodbUri: string | undefined;
}

/** As the service reads them from its environment. */
export function addressesOf({ databaseUrl, mongodbUri }: Addresses): Record<string, string> {
  return { DATABASE_URL: databaseUrl, ...(mongodbUri !== undefined && { MONGODB_URI: mongodbUri }) };
}

/** The databases of one installation, looked into directly: what is there, whatever the service says. */
export class Databases {
  private constructor(
    readonly mode: DocumentMode,
    readonly databaseUrl: string,
    readonly mongodbUri: string | undefined,
    private readonly postgres: Pool,
    private readonly mongoClient: InstanceType<typeof MongoClient> | undefined,
    private readonly dropAll: () => Promise<unknown>,
  ) {}

  /** Those that are not given are made on the servers of all tests. */
  static async create(mode: DocumentMode, given: Partial<Addresses> = {}): Promise<Databases> {
    const made: (() => Promise<unknown>)[] = [];
    const url = given.databaseUrl ?? (await makePostgres(made));
    const uri = mode === 'mongodb' ? (given.mongodbUri ?? makeMongo(made)) : undefined;
    const postgres = new Pool({ connectionString: url, max: 4 });
    // The server may go: the next query is on another connection.
    postgres.on('error', () => undefined);
    const mongoClient = uri === undefined ? undefined : await new MongoClient(uri).connect();
    return new Databases(mode, url, uri, postgres, mongoClient, () =>
      Promise.all(made.map((drop) => drop())),
    );
  }

  async query<Row extends object>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    return (await this.postgres.query<Row>(sql, parameters)).rows;
  }

  async documents(): Promise<StoredDocument[]> {
    return this.mongoClient ? readMongo(this.mongoClient) : this.query<StoredDocument>(DOCUMENTS);
  }

  async drop(): Promise<void> {
    await this.postgres.end();
    await this.mongoClient?.close();
    await this.dropAll();
  }
}

async function makePostgres(made: (() => Promise<unknown>)[]): Promise<string> {
  const name = `faults_${randomBytes(6).toString('hex')}`;
  const url = await createDatabase(name, TEMPLATE);
  made.push(() => dropDatabase(name));
  return url;
}

function makeMongo(made: (() => Promise<unknown>)[]): string {
  const { uri, drop } = mongoDatabase();
  made.push(drop);
  return uri;
}

const DOCUMENTS = `
  SELECT
    id, task_id AS "taskId", img_id AS "imageId", img_roi_id AS "roiId",
    coalesce(
      (
        SELECT json_agg(jsonb_build_object('lab_class_id', class) || rest::jsonb ORDER BY at)
        FROM unnest(lab_class_ids) WITH ORDINALITY AS class (class, at)
        JOIN json_array_elements(annotations) WITH ORDINALITY AS rest (rest, at) USING (at)
      ),
      '[]'
    ) AS annotations
  FROM labeled_image`;

async function readMongo(client: InstanceType<typeof MongoClient>): Promise<StoredDocument[]> {
  const documents = await client.db().collection('labeled_image').find({}, { useBigInt64: true }).toArray();
  return documents.map((document) => ({
    id: String(document._id),
    taskId: String(document['task_id']),
    imageId: String(document['img_id']),
    roiId: document['img_roi_id'] === null ? null : String(document['img_roi_id']),
    annotations: document['annotations'] as Record<string, unknown>[],
  }));
}
