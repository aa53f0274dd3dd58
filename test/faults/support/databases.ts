import { randomBytes } from 'node:crypto';
import mongoose from 'mongoose';
import { Pool } from 'pg';
import type { DocumentMode } from '../../support/document-mode';
import { mongoDatabase, type MongoDatabase } from '../../support/mongo-database';
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

/** The databases of one installation, looked into directly: what is there, whatever the service says. */
export class Databases {
  private constructor(
    readonly mode: DocumentMode,
    readonly databaseUrl: string,
    private readonly databaseName: string,
    private readonly mongo: MongoDatabase | undefined,
    private readonly postgres: Pool,
    private readonly mongoClient: InstanceType<typeof MongoClient> | undefined,
  ) {}

  static async create(mode: DocumentMode): Promise<Databases> {
    const name = `faults_${randomBytes(6).toString('hex')}`;
    const url = await createDatabase(name, TEMPLATE);
    const postgres = new Pool({ connectionString: url, max: 4 });
    const mongo = mode === 'mongodb' ? mongoDatabase() : undefined;
    const mongoClient = mongo && (await new MongoClient(mongo.uri).connect());
    return new Databases(mode, url, name, mongo, postgres, mongoClient);
  }

  get mongodbUri(): string | undefined {
    return this.mongo?.uri;
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
    await this.mongo?.drop();
    await dropDatabase(this.databaseName);
  }
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
