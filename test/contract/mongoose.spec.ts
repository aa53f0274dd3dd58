import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import mongoose from 'mongoose';
import { connectDatabase } from '../../src/database/connect';
import type { CopyPlan } from '../../src/database/copy-plan';
import { documentPrefix } from '../../src/database/installation';
import { inSnapshot } from '../../src/database/transaction';
import type { DocumentFault } from '../../src/labeled-images/document-faults';
import { MongooseLabeledImageRepository } from '../../src/labeled-images/mongoose/mongoose-labeled-image.repository';
import { encodeAnnotation, encodeDocuments } from '../../src/labeled-images/mongoose/document-encoding';
import type {
  DocumentCollection,
  LabeledImage,
} from '../../src/labeled-images/mongoose/labeled-image.schema';
import { insertRaw } from '../../src/labeled-images/mongoose/raw-insert';
import { prepareMongo } from '../../src/labeled-images/mongoose/mongo-connection';
import { CONNECTION } from '../../src/labeled-images/mongoose/mongo-settings';
import { copyTask } from '../support/copy-task';
import { describeWithMongoDb } from '../support/document-mode';
import { mongoDatabase } from '../support/mongo-database';
import { createDatabase, dropDatabase, TEMPLATE } from '../support/test-database';
import {
  describeLabeledImageRepository,
  type DocumentStore,
  type StoredDocument,
} from './labeled-image-repository.contract';

const { EJSON, serialize } = mongoose.mongo.BSON;
const { Binary, BSONRegExp, Code, DBRef, Decimal128, Double, Int32, Long, MinKey, ObjectId, Timestamp } =
  mongoose.mongo;

interface RawDocument {
  readonly _id: mongoose.mongo.ObjectId;
  readonly img_id: mongoose.mongo.Long;
  readonly img_roi_id: mongoose.mongo.Long | null;
  readonly annotations: { readonly lab_class_id: mongoose.mongo.Int32; readonly [member: string]: unknown }[];
}

interface MongoStore extends DocumentStore {
  readonly connection: mongoose.Connection;
  readonly appName: string;
}

async function openMongo(parameters = ''): Promise<MongoStore> {
  const database = `test_${randomBytes(6).toString('hex')}`;
  const mongo = mongoDatabase();
  const dataSource = await connectDatabase(await createDatabase(database, TEMPLATE), false);
  const uri = `${mongo.uri}&appName=${database}&${parameters}`;
  await prepareMongo(uri, dataSource);
  const connection = await mongoose
    .createConnection(uri, { ...CONNECTION, monitorCommands: true })
    .asPromise();
  return {
    connection,
    appName: database,
    dataSource,
    repository: repositoryOn(connection.collection('labeled_image')),
    stored: (taskId) => stored(connection, taskId),
    close: async () => {
      await connection.close();
      await mongo.drop();
      await dataSource.destroy();
      await dropDatabase(database);
    },
  };
}

function repositoryOn(collection: object): MongooseLabeledImageRepository {
  return new MongooseLabeledImageRepository({ collection } as mongoose.Model<LabeledImage>);
}

async function stored(connection: mongoose.Connection, taskId: string): Promise<StoredDocument[]> {
  const documents = await connection
    .db!.collection('labeled_image')
    .find({ task_id: BigInt(taskId) }, { sort: { _id: 1 }, promoteValues: false })
    .toArray();
  return documents.map((document) => {
    const { _id, img_id, img_roi_id, annotations } = document as unknown as RawDocument;
    return {
      id: String(_id),
      imageId: String(img_id),
      roiId: img_roi_id === null ? null : String(img_roi_id),
      classIds: annotations.map(({ lab_class_id }) => lab_class_id.valueOf()),
      rest: EJSON.stringify(
        annotations.map(({ lab_class_id: _, ...rest }) => rest),
        { relaxed: false },
      ),
    };
  });
}

describeWithMongoDb('the MongoDB adapter', () => {
  describeLabeledImageRepository('MongoDB', openMongo);
});

describeWithMongoDb('what only MongoDB has', () => {
  let mongo: MongoStore;
  let documents: mongoose.mongo.Collection;
  let taskId: string;
  let classId: number;

  beforeAll(async () => {
    mongo = await openMongo();
    documents = mongo.connection.db!.collection('labeled_image');
  });
  afterAll(() => mongo.close());
  beforeEach(async () => {
    taskId = newId();
    await mongo.dataSource.query(`INSERT INTO task (task_id, name) VALUES ($1, 'n')`, [taskId]);
    [{ id: classId }] = await mongo.dataSource.query(
      `INSERT INTO label_class (task_id, name, color, order_id) VALUES ($1, 'a', '#000000', 1) RETURNING id`,
      [taskId],
    );
  });

  /** An image with a document that somebody else has written. */
  async function anImage(
    write: (references: References) => Document,
    idOf: (image: bigint) => mongoose.mongo.ObjectId = () => new ObjectId(),
  ): Promise<string> {
    // Such an id is the same number as a double.
    lastId = (lastId / 256n + 1n) * 256n;
    const [id, documentId] = [String(lastId), idOf(lastId)];
    await mongo.dataSource.query(
      `INSERT INTO image (task_id, id, set_type, name, width, height, order_id, mongo_id)
       SELECT $1, $2, 0, 'n', 10, 10, count(*) + 1, $3 FROM image WHERE task_id = $1`,
      [taskId, id, documentId.toHexString()],
    );
    await documents.insertOne(
      write({ _id: documentId, task_id: BigInt(taskId), img_id: BigInt(id), lab_class_id: classId }),
    );
    return documentId.toHexString();
  }

  async function copy(
    repository = mongo.repository,
  ): Promise<{ copied: number; plan: CopyPlan; class: number }> {
    const { copied, plan, labelClasses } = await copyTask(mongo.dataSource, repository, taskId, newId());
    return { copied, plan, class: labelClasses[0]?.id ?? 0 };
  }

  async function rawOf(task: string): Promise<Buffer[]> {
    const found = await documents.find({ task_id: BigInt(task) }, { raw: true, sort: { _id: 1 } }).toArray();
    return (found as unknown as Uint8Array[]).map((bytes) => Buffer.from(bytes));
  }

  function inspect(): Promise<DocumentFault[]> {
    return inSnapshot(mongo.dataSource, (connection) => mongo.repository.inspect(connection, taskId));
  }

  it('ids are int64, and a class is an int32', async () => {
    const id = newId();
    await inSnapshot(mongo.dataSource, ({ manager }) =>
      mongo.repository.insert(manager, taskId, {
        sql: `SELECT 'abcde' || $2::text, $2::bigint, $2::bigint, ARRAY[7], '[{"n":561.0}]'::json`,
        parameters: [id],
      }),
    );
    const long = Long.fromString;
    expect(await rawOf(taskId)).toEqual([
      Buffer.from(
        serialize({
          _id: new ObjectId(`abcde${id}`),
          task_id: long(taskId),
          img_id: long(id),
          img_roi_id: long(id),
          annotations: [{ lab_class_id: new Int32(7), n: new Int32(561) }],
        }),
      ),
    ]);
  });

  it('a copy keeps every byte that is no reference, whatever its type, its name and its place', async () => {
    const write = ({ _id, task_id, img_id, lab_class_id }: References): Document => ({
      _id,
      before: EXOTIC,
      img_id,
      annotations: [
        { a: new Double(561), lab_class_id: new Int32(lab_class_id), exotic: EXOTIC },
        { lab_class_id: new Int32(lab_class_id) },
      ],
      task_id,
      ...EXOTIC,
    });
    await anImage(write);
    const { copied, plan, ...target } = await copy();
    expect(copied).toBe(1);
    const imageId = plan.imageRuns[0]!.firstId + plan.imageRuns[0]!.shift;
    const expected = write({
      _id: new ObjectId(plan.documents!.firstId),
      task_id: BigInt(plan.target),
      img_id: imageId,
      lab_class_id: target.class,
    });
    expect(await rawOf(plan.target)).toEqual([Buffer.from(serialize(expected))]);
  });

  it('a ROI that is null stays null, and one that is not there does not come into being', async () => {
    const annotations: unknown[] = [];
    await anImage(({ _id, task_id, img_id }) => ({ _id, task_id, img_id, img_roi_id: null, annotations }));
    await anImage(({ _id, task_id, img_id }) => ({ _id, task_id, img_id, annotations }));
    const { copied, plan } = await copy();
    expect(copied).toBe(2);
    const members = (await rawOf(plan.target)).map((raw) =>
      Object.keys(mongoose.mongo.BSON.deserialize(raw)),
    );
    expect(members).toEqual([
      ['_id', 'task_id', 'img_id', 'img_roi_id', 'annotations'],
      ['_id', 'task_id', 'img_id', 'annotations'],
    ]);
  });

  it('a class of another number type is the same class', async () => {
    for (const type of [Long.fromNumber, (value: number) => new Double(value)]) {
      await anImage(({ lab_class_id, ...references }) => ({
        ...references,
        annotations: [{ lab_class_id: type(lab_class_id) }],
      }));
    }
    expect((await copy()).copied).toBe(2);
    expect(await inspect()).toEqual([]);
  });

  it.each<[string, DocumentFault['kind'], (references: References) => Document]>([
    [
      'an image id that is a double',
      'foreign',
      (its) => ({ ...its, img_id: new Double(Number(its.img_id)), annotations: [] }),
    ],
    ['no image id', 'foreign', ({ img_id: _, ...its }) => ({ ...its, annotations: [] })],
    ['a ROI id that is a text', 'foreign', (its) => ({ ...its, img_roi_id: 'a', annotations: [] })],
    ['no annotations', 'unknown_class', (its) => its],
    [
      'annotations that are no list',
      'unknown_class',
      (its) => ({ ...its, annotations: { lab_class_id: 1 } }),
    ],
    ['an annotation that is none', 'unknown_class', (its) => ({ ...its, annotations: [5] })],
    ['an annotation that is null', 'unknown_class', (its) => ({ ...its, annotations: [null] })],
    ['an annotation without a class', 'unknown_class', (its) => ({ ...its, annotations: [{ a: 1 }] })],
    ['a class that is a text', 'unknown_class', (its) => ({ ...its, annotations: [{ lab_class_id: 'a' }] })],
  ])('%s is a fault and is not copied', async (_, kind, write) => {
    await anImage(({ lab_class_id, ...references }) => ({
      ...references,
      annotations: [{ lab_class_id }],
    }));
    await anImage(({ lab_class_id: __, ...references }) => write(references as References));
    expect((await copy()).copied).toBe(1);
    expect(await inspect()).toMatchObject([{ kind, count: 1 }]);
  });

  it.each<[string, (id: number) => unknown]>([
    ['a list of a known one', (id) => [new Int32(id)]],
    ['a fraction', (id) => new Double(id + 0.5)],
    ['the one before', (id) => new Int32(id - 1)],
    ['the one after', (id) => new Int32(id + 1)],
  ])('a class that is %s is unknown', async (_, classId) => {
    await anImage(({ lab_class_id, ...references }) => ({
      ...references,
      annotations: [{ lab_class_id }, { lab_class_id: classId(lab_class_id) }],
    }));
    expect((await copy()).copied).toBe(0);
    expect(await inspect()).toMatchObject([{ kind: 'unknown_class', count: 1 }]);
  });

  it('a double among the ids of a copy is a fault, and no reason to fail', async () => {
    const prefix = await documentPrefix(mongo.dataSource.manager);
    const idOf = (image: bigint) => new ObjectId(prefix + String(image + 1n));
    for (const type of [Long.fromBigInt, (value: bigint) => new Double(Number(value)), Long.fromBigInt]) {
      await anImage(
        ({ _id, task_id, img_id }) => ({ _id, task_id, img_id: type(img_id), annotations: [] }),
        idOf,
      );
    }
    expect((await copy()).copied).toBe(2);
    expect(await inspect()).toMatchObject([{ kind: 'foreign', count: 1 }]);
  });

  it('what JSON does not know is read as something that it does', async () => {
    const id = await anImage(({ lab_class_id, ...references }) => ({
      ...references,
      annotations: [{ lab_class_id, small: Long.fromNumber(-5), large: Long.MAX_VALUE, ...EXOTIC }],
    }));
    const found = await mongo.repository.find(mongo.dataSource.manager, taskId, id);
    expect(JSON.parse(JSON.stringify(found))).toEqual([
      {
        lab_class_id: classId,
        small: -5,
        large: '9223372036854775807',
        double: 561,
        nan: { $numberDouble: 'NaN' },
        long: 1,
        decimal: { $numberDecimal: '1.10' },
        date: { $date: '2018-10-24T00:00:00Z' },
        binary: { $binary: { base64: 'AQI=', subType: '00' } },
        regexp: { $regularExpression: { pattern: 'a', options: 'i' } },
        time: { $timestamp: { t: 1, i: 2 } },
        code: { $code: 'f()' },
        min: { $minKey: 1 },
        reference: { $ref: 'a', $id: { $oid: '507f1f77bcf86cd799439011' } },
        'a.b': { $set: [[], {}, null, true] },
        '': 'ключ😀',
      },
    ]);
    const streamed = await inSnapshot(mongo.dataSource, async (connection) => {
      for await (const batch of mongo.repository.stream(connection, taskId)) return batch;
      return [];
    });
    expect(streamed).toEqual([{ place: 1, annotations: found }]);
  });

  it('a document without a list of annotations is not read as one that has none', async () => {
    const id = await anImage(({ lab_class_id: _, ...references }) => references);
    await expect(mongo.repository.find(mongo.dataSource.manager, taskId, id)).rejects.toThrow(id);
  });

  it('what a statement that took too long has written is removed, and its documents are copied in halves', async () => {
    for (let at = 0; at < 7; at++) {
      await anImage(({ lab_class_id, ...references }) => ({
        ...references,
        annotations: [{ lab_class_id, at }],
      }));
    }
    const slow = Object.assign(Object.create(documents) as typeof documents, {
      countDocuments: documents.countDocuments.bind(documents),
      aggregate: (pipeline: Document[], options: object) => ({
        toArray: async () => {
          const [match, ...rest] = pipeline as [Document, ...Document[]];
          const count = (await documents.aggregate([match]).toArray()).length;
          if (count <= 2) return documents.aggregate(pipeline, options).toArray();
          await documents.aggregate([match, { $limit: count - 1 }, ...rest], options).toArray();
          throw new mongoose.mongo.MongoServerError({ message: 'operation exceeded time limit', code: 50 });
        },
      }),
    });
    const { copied, plan } = await copy(repositoryOn(slow));
    expect(copied).toBe(7);
    expect(await rawOf(plan.target)).toHaveLength(7);
  });

  describe('when MongoDB fails', () => {
    const AWAY = { errorName: 'DATABASE_AWAY' };
    const once = { times: 1 } as const;

    beforeEach(() =>
      anImage(({ lab_class_id, ...references }) => ({ ...references, annotations: [{ lab_class_id }] })),
    );
    afterEach(() => fail('off', {}));

    /** Only our own connection: other tests use the same server. */
    function fail(mode: 'alwaysOn' | 'off' | { readonly times: number }, data: Document): Promise<unknown> {
      return mongo.connection.db!.admin().command({
        configureFailPoint: 'failCommand',
        mode,
        data: { ...data, appName: mongo.appName },
      });
    }

    function insert(ids: readonly string[] = [newId()]): Promise<void> {
      return inSnapshot(mongo.dataSource, ({ manager }) =>
        mongo.repository.insert(manager, taskId, {
          sql: `SELECT 'abcde' || id, id, NULL::bigint, '{}'::int[], '[]'::json FROM unnest($2::bigint[]) AS id`,
          parameters: [ids],
        }),
      );
    }

    const find = () => mongo.repository.find(mongo.dataSource.manager, taskId, '507f1f77bcf86cd799439011');
    const remove = () => mongo.repository.remove(taskId, { firstId: '0'.repeat(24), lastId: 'f'.repeat(24) });

    const NO_MAJORITY = {
      code: 64,
      codeName: 'WriteConcernFailed',
      errmsg: 'waiting for replication timed out',
    };

    it.each<[string, string, () => Promise<unknown>]>([
      ['a copy', 'aggregate', () => copy()],
      ['an insert', 'insert', () => insert()],
      ['an insert of many', 'insert', () => insert([newId(), newId()])],
      ['a removal', 'delete', remove],
    ])('%s that no majority confirms has failed', async (_, command, write) => {
      await fail('alwaysOn', { failCommands: [command], writeConcernError: NO_MAJORITY });
      await expect(write()).rejects.toMatchObject(AWAY);
    });

    it.each<[string, string, () => Promise<unknown>]>([
      ['copy', 'aggregate', () => copy()],
      ['insert', 'insert', () => insert()],
      ['find', 'find', find],
      [
        'stream',
        'find',
        () => inSnapshot(mongo.dataSource, async (c) => mongo.repository.stream(c, taskId).next()),
      ],
      ['inspect', 'find', inspect],
      ['remove', 'find', remove],
    ])('%s: the database is away when connections break or there is no primary', async (_, command, work) => {
      await fail('alwaysOn', { failCommands: [command], closeConnection: true });
      await expect(work()).rejects.toMatchObject(AWAY);
      await fail('alwaysOn', { failCommands: [command], errorCode: 10107 });
      await expect(work()).rejects.toMatchObject(AWAY);
      await fail('alwaysOn', { failCommands: [command], errorCode: 11600 });
      await expect(work()).rejects.toMatchObject(AWAY);
    });

    it('a copy and many documents are not sent twice, a single document may be', async () => {
      await fail(once, { failCommands: ['aggregate'], closeConnection: true });
      await expect(copy()).rejects.toMatchObject(AWAY);
      await fail(once, { failCommands: ['insert'], closeConnection: true });
      await expect(insert([newId(), newId()])).rejects.toMatchObject(AWAY);
      await fail(once, { failCommands: ['insert'], closeConnection: true });
      await insert();
    });

    it('a wrong statement is a fault of ours', async () => {
      await fail('alwaysOn', { failCommands: ['aggregate', 'insert', 'find'], errorCode: 9 });
      for (const work of [() => copy(), () => insert(), () => insert([newId(), newId()]), find]) {
        const thrown: unknown = await work().catch((error: unknown) => error);
        expect(thrown).toBeInstanceOf(mongoose.mongo.MongoServerError);
      }
    });

    it('an insert of which a part failed has failed', async () => {
      const [first, second, third] = [newId(), newId(), newId()];
      await insert([second]);
      const thrown: unknown = await insert([first, second, third]).catch((error: unknown) => error);
      expect(thrown).toMatchObject({
        errorName: 'DOCUMENT_ID_TAKEN',
        cause: { name: 'MongoServerError', code: 11000 },
      });
      await expect(insert([first])).rejects.toMatchObject({ cause: { name: 'MongoBulkWriteError' } });
    });
  });

  it('without the part of the driver that is not public, documents are written in its public way', async () => {
    const ids = [newId(), newId()];
    const documents = ids.map((id, at) => ({
      id: `abcde${id}`,
      imageId: id,
      roiId: at === 0 ? null : id,
      labClassIds: [3, 4],
      annotations: [{ a: 1.5, list: [1, -0, 2 ** 40] }, { _bsontype: 'Long' }].map(encodeAnnotation),
    }));
    const collection = mongo.connection.collection('labeled_image') as unknown as DocumentCollection;
    const bytes = encodeDocuments(BigInt(taskId), documents);
    await insertRaw(collection, bytes);
    const written = await rawOf(taskId);
    expect(Buffer.concat(written)).toEqual(bytes);
    await collection.deleteMany({ task_id: BigInt(taskId) });
    await insertRaw(collection, bytes, null);
    expect(await rawOf(taskId)).toEqual(written);
  });

  it('every command says what it needs, whatever the URI says', async () => {
    const ours = mongo;
    mongo = await openMongo('w=1&journal=false&readPreference=secondaryPreferred&wtimeoutMS=1');
    const commands: Document[] = [];
    mongo.connection.getClient().on('commandStarted', ({ command }) => commands.push(command));
    try {
      const id = newId();
      const range = { firstId: `abcde${id}`, lastId: `abcde${id}` };
      await inSnapshot(mongo.dataSource, async ({ manager }) => {
        await mongo.repository.insert(manager, id, {
          sql: `SELECT $2::text, $3::bigint, NULL::bigint, '{}'::int[], '[]'::json`,
          parameters: [range.firstId, id],
        });
        await mongo.repository.insert(manager, newId(), {
          sql: `SELECT 'abcde' || id, id, NULL::bigint, '{}'::int[], '[]'::json FROM unnest($2::bigint[]) AS id`,
          parameters: [[newId(), newId()]],
        });
        await manager.query(`INSERT INTO task (task_id, name) VALUES ($1, 'n')`, [id]);
        await manager.query(
          `INSERT INTO image (task_id, id, set_type, name, width, height, order_id, mongo_id)
           VALUES ($1, $1, 0, 'n', 10, 10, 1, $2)`,
          [id, range.firstId],
        );
        await mongo.repository.find(manager, id, range.firstId);
      });
      taskId = id;
      expect((await copy()).copied).toBe(1);
      expect(await inspect()).toEqual([]);
      await mongo.repository.remove(id, range);
    } finally {
      await mongo.close();
      mongo = ours;
    }
    const sent = commands.filter((command) => COMMANDS.some((name) => name in command));
    expect(sent.map((command) => COMMANDS.find((name) => name in command))).toEqual([
      ...['insert', 'insert', 'find', 'aggregate', 'aggregate', 'find', 'find', 'find', 'delete'],
    ]);
    for (const command of sent) {
      expect(command).toMatchObject({ maxTimeMS: expect.any(Number) as number });
      expect(command['$readPreference']?.mode ?? 'primary').toBe('primary');
    }
    const [one, many, , merged, , , , , deleted] = sent;
    for (const command of [one, many, merged, deleted])
      expect(command).toMatchObject({ writeConcern: { w: 'majority', j: true, wtimeout: 10_000 } });
  });
});

const COMMANDS = ['insert', 'find', 'aggregate', 'delete'] as const;

interface References {
  readonly _id: mongoose.mongo.ObjectId;
  readonly task_id: bigint;
  readonly img_id: bigint;
  readonly lab_class_id: number;
}

type Document = mongoose.mongo.Document;

const EXOTIC: Document = {
  double: new Double(561),
  nan: new Double(NaN),
  long: Long.fromNumber(1),
  decimal: Decimal128.fromString('1.10'),
  date: new Date('2018-10-24'),
  binary: new Binary(Buffer.from([1, 2])),
  regexp: new BSONRegExp('a', 'i'),
  time: new Timestamp({ t: 1, i: 2 }),
  code: new Code('f()'),
  min: new MinKey(),
  reference: new DBRef('a', new ObjectId('507f1f77bcf86cd799439011')),
  'a.b': { $set: [[], {}, null, true] },
  '': 'ключ😀',
};

let lastId = 2018102439752890000n;

function newId(): string {
  return String(++lastId);
}
