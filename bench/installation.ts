import { Readable } from 'node:stream';
import { Pool } from 'pg';
import { connectDatabase } from '../src/database/connect';
import { timed } from './clock';
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
  /** What its import took, of a file of so many bytes. */
  readonly import: { readonly bytes: number; readonly seconds: number; readonly peakMb: number };
}

/** A copy that stays, for whatever reads one. */
export interface Copy {
  readonly id: string;
  readonly source: Source;
  /** Of a service that did nothing but make it and send the answer. */
  readonly peakMb: number;
}

const FIRST_ID = 2018102439652000000n;

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

  /** As cheaply as it can be told. @throws where something is missing */
  async assertCopied(source: Source, target: string): Promise<void> {
    const { images, rois } = await this.counts(target);
    const documents = await this.countDocuments(target);
    if (images !== source.images || rois !== source.rois || documents !== source.images)
      throw new Error(
        `${images} images, ${rois} ROIs and ${documents} documents are not a copy of ${source.id}`,
      );
  }

  /** When the copy was committed, by PostgreSQL; as in clock.ts. */
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
    const upload = new CountedUpload(text());
    const path = `/training/tasks/${id}/coco?task_type=1&task_name=${images}`;
    const imported = await this.withService(async (service) => {
      await service.resetPeak();
      const seconds = await timed(() => service.send({ method: 'PUT', path, upload: upload.stream }));
      return { bytes: upload.bytes, seconds, peakMb: await service.peakMb() };
    });
    await this.settle();
    const counts = await this.counts(id);
    if (counts.images !== images) throw new Error(`${counts.images} of ${images} images were imported`);
    return { id, ...counts, annotations, import: imported };
  }

  private async duplicate(images: number): Promise<Copy> {
    const source = await this.source(images);
    const id = this.newId();
    const peakMb = await this.withService(async (service) => {
      await service.resetPeak();
      await service.duplicate(source.id, id);
      return service.peakMb();
    });
    await this.settle();
    return { id, source, peakMb };
  }
}

class CountedUpload {
  bytes = 0;
  readonly stream: Readable;

  constructor(pieces: Iterable<string>) {
    this.stream = Readable.from(this.count(pieces));
  }

  private *count(pieces: Iterable<string>): Generator<Buffer> {
    for (const piece of pieces) {
      const buffer = Buffer.from(piece);
      this.bytes += buffer.length;
      yield buffer;
    }
  }
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
