import { Readable } from 'node:stream';
import { Pool } from 'pg';
import { connectDatabase } from '../src/database/connect';
import { dataSet } from './data-set';
import type { Mode } from './mode';
import { onMongo, onPostgres, type MongoDb, type Servers } from './servers';
import { ServiceUnderTest } from './service-under-test';

/** A task that was imported to be copied. */
export interface Source {
  readonly id: string;
  readonly images: number;
  readonly rois: number;
  readonly annotations: number;
}

/** A copy that stays, for whatever reads one. */
export interface Copy {
  readonly id: string;
  readonly source: Source;
}

const FIRST_ID = 2018102439652000000n;
/** Images of the task that is copied before anything is measured. */
const WARM_UP = 1_000;

/** The databases of one mode, with the tasks that are copied, and the service on them. */
export class Installation {
  private readonly sources = new Map<number, Promise<Source>>();
  private readonly copies = new Map<number, Promise<Copy>>();
  private lastId = FIRST_ID;

  private constructor(
    readonly mode: Mode,
    readonly databaseUrl: string,
    /** undefined where the documents are in PostgreSQL. */
    readonly mongodbUri: string | undefined,
    private readonly pool: Pool,
  ) {}

  static async create(mode: Mode, servers: Servers): Promise<Installation> {
    const name = `bench_${mode}`;
    await onPostgres(servers.postgresUrl, (client) => client.query(`CREATE DATABASE ${name}`));
    const url = servers.postgresUrl.replace('/postgres?', `/${name}?`);
    const dataSource = await connectDatabase(url, true);
    await dataSource.destroy();
    const uri = mode === 'mongo' ? servers.mongodUri?.replace('/?', `/${name}?`) : undefined;
    const pool = new Pool({ connectionString: url, max: 2 });
    // At Ctrl-C the server goes first.
    pool.on('error', () => undefined);
    return new Installation(mode, url, uri, pool);
  }

  /** An id that no other task has. */
  newId(): string {
    return String(++this.lastId);
  }

  /** A fresh process. */
  start(env: Readonly<Record<string, string>> = {}): Promise<ServiceUnderTest> {
    return ServiceUnderTest.start({ databaseUrl: this.databaseUrl, mongodbUri: this.mongodbUri, env });
  }

  /** Runs with a fresh process, which is ended afterwards. */
  async withService<T>(
    work: (service: ServiceUnderTest) => Promise<T>,
    env?: Readonly<Record<string, string>>,
  ): Promise<T> {
    const service = await this.start(env);
    try {
      return await work(service);
    } finally {
      await service.stop();
    }
  }

  /** The task of so many images, imported by the product when it is first asked for. */
  source(images: number): Promise<Source> {
    const known = this.sources.get(images) ?? this.import(images);
    this.sources.set(images, known);
    return known;
  }

  /** A copy of that task, made when it is first asked for. */
  copy(images: number): Promise<Copy> {
    const known = this.copies.get(images) ?? this.duplicate(images);
    this.copies.set(images, known);
    return known;
  }

  async query<Row extends object>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    return (await this.pool.query<Row>(sql, parameters)).rows;
  }

  /** Of MongoDB, by the bare driver; only in its mode. */
  onMongo<T>(work: (db: MongoDb) => Promise<T>): Promise<T> {
    if (this.mongodbUri === undefined) throw new Error('the documents are in PostgreSQL');
    return onMongo(this.mongodbUri, work);
  }

  async counts(taskId: string): Promise<{ images: number; rois: number }> {
    const [row] = await this.query<{ images: number; rois: number }>(COUNTS, [taskId]);
    return row!; // one row of two counts
  }

  /** Where they are stored, whatever the rows say. */
  async countDocuments(taskId: string): Promise<number> {
    if (this.mode === 'mongo')
      return this.onMongo((db) => db.collection('labeled_image').countDocuments({ task_id: BigInt(taskId) }));
    const [row] = await this.query<{ documents: number }>(DOCUMENTS, [taskId]);
    return row!.documents; // count() always answers one row
  }

  /** A small copy that does not stay: code is compiled and connections are there, before anything is measured. */
  async warmUp(copy: (source: string, target: string) => Promise<unknown>): Promise<void> {
    const { id } = await this.source(WARM_UP);
    const target = this.newId();
    await copy(id, target);
    await this.remove(target);
  }

  /** As cheaply as it can be told. @throws where something is missing */
  async assertCopied(source: Source, target: string): Promise<void> {
    await this.assertRows(source, target);
    if (this.mode === 'mongo') assertAll('documents', await this.countDocuments(target), source.images);
  }

  /** Of the tables alone. @throws where something is missing */
  async assertRows(source: Source, target: string): Promise<void> {
    const { images, rois } = await this.counts(target);
    assertAll('images', images, source.images);
    assertAll('ROIs', rois, source.rois);
    if (this.mode === 'postgres') assertAll('documents', await this.countDocuments(target), source.images);
  }

  /** When the copy was committed, by PostgreSQL: milliseconds since 1970. */
  async committedAt(target: string): Promise<number> {
    const [row] = await this.query<{ at: number }>(COMMITTED_AT, [target]);
    return row!.at; // a copy has one attempt
  }

  /** Deletes tasks with all that they own, as if they had never been there. */
  async remove(...taskIds: readonly string[]): Promise<void> {
    for (const table of TABLES) await this.query(`DELETE FROM ${table} WHERE task_id = ANY ($1)`, [taskIds]);
    if (this.mode === 'mongo') {
      const tasks = taskIds.map(BigInt);
      await this.onMongo((db) => db.collection('labeled_image').deleteMany({ task_id: { $in: tasks } }));
    }
  }

  /** What was written is on disk and what was deleted is gone: so nobody pays for what another one did before. */
  async settle(): Promise<void> {
    await this.query('VACUUM ANALYZE');
    await this.query('CHECKPOINT');
    if (this.mode === 'mongo') await this.onMongo((db) => db.admin().command({ fsync: 1 }));
  }

  async close(): Promise<void> {
    await this.pool.end();
  }

  private async import(images: number): Promise<Source> {
    const id = this.newId();
    const { annotations, text } = dataSet(images);
    await this.withService((service) => service.import(id, Readable.from(text()), String(images)));
    await this.settle();
    const counts = await this.counts(id);
    assertAll('images', counts.images, images);
    return { id, ...counts, annotations };
  }

  private async duplicate(images: number): Promise<Copy> {
    const source = await this.source(images);
    const id = this.newId();
    await this.withService((service) => service.duplicate(source.id, id));
    await this.settle();
    return { id, source };
  }
}

function assertAll(what: string, actual: number, wanted: number): void {
  if (actual !== wanted) throw new Error(`${actual} ${what}, not ${wanted}`);
}

/** In the order in which they can be emptied. */
const TABLES = [
  'labeled_image',
  'document_garbage',
  'roi_image',
  'image',
  'label_class',
  'task_duplication',
  'task',
];

const COUNTS = `
  SELECT
    (SELECT count(*)::int FROM image WHERE task_id = $1) AS images,
    (SELECT count(*)::int FROM roi_image WHERE task_id = $1) AS rois`;

const DOCUMENTS = 'SELECT count(*)::int AS documents FROM labeled_image WHERE task_id = $1';

/** The record of the attempt is written by the transaction of the copy. */
const COMMITTED_AT = `
  SELECT (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000)::float8 AS at
  FROM task_duplication
  WHERE task_id = $1`;
