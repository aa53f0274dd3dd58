import { getConnectionToken } from '@nestjs/mongoose';
import fc from 'fast-check';
import mongoose from 'mongoose';
import { EXAMPLES_MAX } from '../../src/labeled-images/document-faults';
import { Sweeper } from '../../src/tasks/sweeper';
import type {
  CheckName,
  SourceState,
  TargetState,
  Verification,
} from '../../src/tasks/duplication/dto/verification.dto';
import { anyDataSet } from '../support/any-data-set';
import { newTaskId, type Answer, type Api } from '../support/api';
import { aDataSet } from '../support/data-set';
import { describeInEachMode } from '../support/document-mode';
import { eventually } from '../support/eventually';
import { whileCopied } from '../support/held-copy';
import { inOtherSession } from '../support/other-session';
import type { ListedClass, ListedImage } from '../support/task-content';
import { TestApp } from '../support/test-app';

const { Double } = mongoose.mongo;

/** Images of every kind, in another order than in the file and with gaps: 0 to 3 with documents, 4 and 5 without. */
const DATA_SET = {
  info: { year: 2026 },
  licenses: [{ id: 1 }],
  images: [
    { id: 1, file_name: 'a', width: 640, height: 480, order_id: 20, roi: [0, 0, 10, 10], camera: 'left' },
    { id: 2, file_name: 'b', width: 640, height: 480, order_id: 10, roi: [5, 5, 10, 10] },
    { id: 3, file_name: 'c', width: 640, height: 480, order_id: 30, state: '已训练' },
    { id: 4, file_name: 'd', width: 640, height: 480, order_id: 45, state: '已测试' },
    { id: 5, file_name: 'e', width: 640, height: 480, order_id: 50 },
    { id: 6, file_name: 'f', width: 640, height: 480, order_id: 70, roi: [9, 9, 1, 1] },
  ],
  categories: [
    { id: 1, name: 'one', color: '#112233', supercategory: 'x' },
    { id: 2, name: 'two', color: '#445566' },
    { id: 3, name: 'unused' },
  ],
  annotations: [
    { id: 1, image_id: 1, category_id: 1, bbox: [1, 2, 3, 4], area: 12 },
    { id: 2, image_id: 1, category_id: 2, bbox: [5, 6, 7, 8], z: 1, y: 2 },
    { id: 3, image_id: 2, category_id: 2, bbox: [1, 2, 3, 4.5], area: 12 },
    { id: 4, image_id: 2, category_id: 1, area: 12 },
    { id: 5, image_id: 3, category_id: 2 },
  ],
};

/** A copy and its source, as they were when it was made. */
interface Copy {
  readonly source: Task;
  readonly target: Task;
}

interface Task {
  readonly id: string;
  readonly images: readonly ListedImage[];
  readonly classes: readonly ListedClass[];
}

interface DocumentDamage {
  /** The assignments of an UPDATE; `$1` is the task, `$2` the document, `$3` may be `value`. */
  readonly postgresql: string;
  readonly mongodb: mongoose.mongo.Document | mongoose.mongo.Document[];
  readonly value?: string | number;
}

const OK = { verified: true, found: {}, source: 'same', target: 'same' };

describeInEachMode('the verification of a copy', (documents) => {
  let app: TestApp;
  let api: Api;

  beforeAll(async () => {
    app = await TestApp.start({ SWEEP_KEEP_S: '0' }, { documents });
    api = app.api;
  });
  afterAll(() => app.stop());

  const ask = (task: string) => api.get(`/training/tasks/${task}/duplication/verification`);

  /** The answer, of its checks those that found something. */
  async function verify(task: string): Promise<{
    verified: boolean;
    found: Partial<Record<CheckName, readonly string[]>>;
    source: SourceState;
    target: TargetState;
  }> {
    const { status, text, body } = await ask(task);
    if (status !== 200) throw new Error(text);
    const { verified, checks, source, target } = body as unknown as Verification;
    for (const { ok, count, examples } of checks) {
      if (ok !== (count === 0) || examples.length > count || examples.length > EXAMPLES_MAX)
        throw new Error(text);
    }
    const faulty = checks.filter(({ ok }) => !ok);
    return {
      verified,
      found: Object.fromEntries(faulty.map(({ name, examples }) => [name, examples])),
      source,
      target,
    };
  }

  async function importTask(dataSet: object = DATA_SET): Promise<string> {
    const id = newTaskId();
    expectDone(await api.importCoco(id, dataSet));
    return id;
  }

  async function copyOf(source: string): Promise<string> {
    const target = newTaskId();
    expectDone(await api.duplicate(source, target));
    return target;
  }

  async function aCopy(dataSet: object = DATA_SET): Promise<Copy> {
    const source = await importTask(dataSet);
    const target = await copyOf(source);
    return { source: await read(source), target: await read(target) };
  }

  async function read(id: string): Promise<Task> {
    const [images, classes] = await Promise.all(
      ['images?limit=1000', 'label-classes'].map((list) => api.get(`/training/tasks/${id}/${list}`)),
    );
    return {
      id,
      images: images!.body['image_list'] as ListedImage[],
      classes: classes!.body['lab_class_list'] as ListedClass[],
    };
  }

  async function edit(
    { id, classes }: Task,
    image: ListedImage | undefined,
    annotations: object[] = [{ lab_class_id: classes[0]!.id, bbox: [9, 9, 9, 9] }],
  ): Promise<void> {
    expectDone(await api.put(`/training/tasks/${id}/images/${image!.img_id}/annotations`, { annotations }));
  }

  function expectDone({ status, text }: Answer): void {
    if (status >= 300) throw new Error(text);
  }

  /** As nobody does but an operator in need: without the triggers that would refuse it. */
  async function damage(sql: string, ...parameters: unknown[]): Promise<void> {
    await inOtherSession(app, async (session) => {
      await session.query('SET session_replication_role = replica');
      const { rowCount } = await session.query(sql, parameters);
      if (rowCount === 0) throw new Error(`nothing was damaged: ${sql}`);
    });
  }

  function mongo(): mongoose.mongo.Collection<{ _id: mongoose.mongo.ObjectId }> {
    return app.app.get<mongoose.Connection>(getConnectionToken()).db!.collection('labeled_image');
  }

  async function damageDocument(
    { id }: { id: string },
    { mongo_id }: ListedImage,
    { postgresql, mongodb, value }: DocumentDamage,
  ): Promise<void> {
    if (documents === 'postgresql') {
      const values = value === undefined ? [] : [value];
      const sql = `UPDATE labeled_image SET ${postgresql} WHERE task_id = $1 AND id = $2`;
      await damage(sql, id, mongo_id, ...values);
      return;
    }
    const { modifiedCount } = await mongo().updateOne(
      { _id: new mongoose.mongo.ObjectId(mongo_id!) },
      mongodb,
    );
    if (modifiedCount !== 1) throw new Error('nothing was damaged');
  }

  async function cloneDocument({ id }: Task, { mongo_id }: ListedImage, cloneId: string): Promise<void> {
    if (documents === 'postgresql') {
      await damage(
        `INSERT INTO labeled_image (task_id, id, img_id, img_roi_id, lab_class_ids, annotations)
         SELECT task_id, $3, img_id, img_roi_id, lab_class_ids, annotations
         FROM labeled_image
         WHERE task_id = $1
           AND id = $2`,
        id,
        mongo_id,
        cloneId,
      );
    } else {
      const [_id, clone] = [mongo_id!, cloneId].map((digits) => new mongoose.mongo.ObjectId(digits));
      await mongo()
        .aggregate([
          { $match: { _id } },
          { $set: { _id: clone } },
          { $merge: { into: 'labeled_image', whenMatched: 'fail' } },
        ])
        .toArray();
    }
  }

  async function deleteDocument({ id }: { id: string }, { mongo_id }: ListedImage): Promise<void> {
    if (documents === 'postgresql') {
      await damage('DELETE FROM labeled_image WHERE task_id = $1 AND id = $2', id, mongo_id);
    } else {
      await mongo().deleteOne({ _id: new mongoose.mongo.ObjectId(mongo_id!) });
    }
  }

  describe('of one that is as it was', () => {
    it('has exactly the members of the contract, in their order', async () => {
      const { status, text } = await ask((await aCopy()).target.id);
      expect(status).toBe(200);
      const checks = ['counts', 'ids', 'references', 'content'].map(
        (name) => `{"name":"${name}","ok":true,"count":0,"examples":[]}`,
      );
      expect(text).toBe(
        `{"code":0,"msg":"成功","verified":true,"checks":[${checks.join(',')}],"source":"same","target":"same"}`,
      );
    });

    it.each([
      ['an empty task', { images: [] }],
      ['a task with classes only', { images: [], categories: [{ id: 1, name: 'a' }] }],
      ['a task without documents', aDataSet({ annotationsEach: 0 })],
      ['more images than a page', aDataSet({ images: 1_203, annotationsEach: 1 })],
    ])('finds nothing: %s', async (_, dataSet) => {
      expect(await verify(await copyOf(await importTask(dataSet)))).toEqual(OK);
    });

    it('finds nothing in documents that are too large for one page together', async () => {
      const note = 'x'.repeat(700_000);
      const annotations = [1, 2, 3].map((image_id) => ({ image_id, category_id: 1, note }));
      expect(await verify((await aCopy({ ...aDataSet(), annotations })).target.id)).toEqual(OK);
    });

    it('finds nothing in the copy of a copy, and of one that was edited', async () => {
      const { target } = await aCopy();
      await edit(target, target.images[0]);
      await edit(target, target.images[5]);
      expect(await verify(await copyOf(target.id))).toEqual(OK);
    });

    it('finds nothing in a task of any kind', async () => {
      await fc.assert(
        fc.asyncProperty(anyDataSet, async (dataSet) => {
          expect(await verify(await copyOf(await importTask(dataSet)))).toEqual(OK);
        }),
        { numRuns: 15 },
      );
    });

    it('takes no longer than some duplications, however many images there are', async () => {
      const source = await importTask(aDataSet({ images: 20_000, annotationsEach: 0 }));
      const startedAt = performance.now();
      const target = await copyOf(source);
      const copiedAt = performance.now();
      expect(await verify(target)).toEqual(OK);
      // Where each image was compared with every other one, it took 40 times as long.
      expect(performance.now() - copiedAt).toBeLessThan(10 * (copiedAt - startedAt));
    });

    it('compares neither names nor types', async () => {
      const target = newTaskId();
      expectDone(await api.post('/training/tasks', { task_id: target, task_name: 'my own' }));
      const source = await importTask();
      expectDone(await api.duplicate(source, target));
      for (const task of [source, target]) {
        expectDone(await api.patch(`/training/tasks/${task}`, { task_name: `renamed ${task}` }));
      }
      await damage('UPDATE task SET task_type = 3 WHERE task_id = $1', target);
      expect(await verify(target)).toEqual(OK);
    });
  });

  describe('of a task that is no finished copy', () => {
    it('is refused', async () => {
      const { source, target } = await aCopy();
      expect(await refusal(source.id)).toEqual([404, 40404]);
      expect(await refusal(newTaskId())).toEqual([404, 40402]);
      await damage("UPDATE task_duplication SET state = 'failed' WHERE task_id = $1", target.id);
      expect(await refusal(target.id)).toEqual([404, 40404]);
    });

    it('is refused where the task itself is lost', async () => {
      const { target } = await aCopy();
      await damage('DELETE FROM task WHERE task_id = $1', target.id);
      expect(await refusal(target.id)).toEqual([404, 40402]);
    });

    async function refusal(task: string): Promise<unknown[]> {
      const { status, body } = await ask(task);
      return [status, body['code']];
    }
  });

  describe('of one that was edited since', () => {
    it('leaves out the documents that were edited, on either side', async () => {
      const { source, target } = await aCopy();
      await edit(source, source.images[0]);
      expect(await verify(target.id)).toEqual({ ...OK, source: 'edited' });
      await edit(target, target.images[1]);
      await edit(target, target.images[0], []);
      expect(await verify(target.id)).toEqual({ ...OK, source: 'edited', target: 'edited' });
      await app.app.get(Sweeper).sweep();
      expect(await verify(target.id)).toEqual({ ...OK, source: 'edited', target: 'edited' });
    });

    it('takes a first annotation for an edit', async () => {
      const { source, target } = await aCopy();
      expect(target.images[4]).toMatchObject({ mongo_id: null, state: null });
      await edit(target, target.images[4]);
      expect(await verify(target.id)).toEqual({ ...OK, target: 'edited' });
      await edit(source, source.images[5]);
      expect(await verify(target.id)).toEqual({ ...OK, source: 'edited', target: 'edited' });
      await edit(source, source.images[4]);
      await edit(target, target.images[5]);
      expect(await verify(target.id)).toEqual({ ...OK, source: 'edited', target: 'edited' });
    });

    it('goes on comparing everything else', async () => {
      const { source, target } = await aCopy();
      for (const { img_id } of target.images) await edit(target, { img_id } as ListedImage);
      for (const { img_id } of source.images) await edit(source, { img_id } as ListedImage);
      const edited = { ...OK, source: 'edited', target: 'edited' };
      expect(await verify(target.id)).toEqual(edited);
      const { img_id } = target.images[2]!;
      await damage('UPDATE image SET width = 641 WHERE task_id = $1 AND id = $2', target.id, img_id);
      expect(await verify(target.id)).toEqual({ ...edited, verified: false, found: { content: [img_id] } });
    });

    it('knows the state that an edit gives', async () => {
      const { target } = await aCopy();
      const image = target.images[2]!;
      await edit(target, image);
      await damage(
        "UPDATE image SET state = '已测试' WHERE task_id = $1 AND id = $2",
        target.id,
        image.img_id,
      );
      expect((await verify(target.id)).found).toEqual({ content: [image.img_id] });
    });

    it('misses a document that an edit did not take away', async () => {
      const { target } = await aCopy();
      await edit(target, target.images[4]);
      const { img_id } = target.images[0]!;
      await damage('UPDATE image SET mongo_id = NULL WHERE task_id = $1 AND id = $2', target.id, img_id);
      expect((await verify(target.id)).found).toEqual({ counts: ['document_count'], content: [img_id] });
    });

    it('finds a reference of an edited document that leads out of the task', async () => {
      const { source, target } = await aCopy();
      await edit(target, target.images[0]);
      const image = (await read(target.id)).images[0]!;
      await damageDocument(target, image, {
        postgresql: 'lab_class_ids = ARRAY[$3::int]',
        mongodb: { $set: { 'annotations.0.lab_class_id': source.classes[0]!.id } },
        value: source.classes[0]!.id,
      });
      expect((await verify(target.id)).found).toEqual({ references: [image.img_id] });
    });

    it('knows an edit of the source that was under way when the copy was made', async () => {
      const source = await importTask();
      const content = await read(source);
      const { target, answer } = await whileCopied(app, source, async () => {
        await edit(content, content.images[0]);
      });
      expectDone(answer);
      expect(await verify(target)).toEqual({ ...OK, source: 'edited' });
    });

    it('knows an edit that was reserved before the copy and committed after its snapshot', async () => {
      const source = await importTask();
      const content = await read(source);
      const image = content.images[0]!;
      const { editing, target } = await inOtherSession(app, async (session) => {
        await session.query('BEGIN');
        await session.query('SELECT FROM image WHERE task_id = $1 AND id = $2 FOR UPDATE', [
          source,
          image.img_id,
        ]);
        const editing = edit(content, image);
        await eventually('the edit is announced', async () => {
          const rows = await app.dataSource.query<unknown[]>(
            "SELECT FROM document_garbage WHERE task_id = $1 AND reason = 'edit'",
            [source],
          );
          return rows.length > 0;
        });
        return { editing, target: await copyOf(source) };
      });
      await editing;
      const [row] = await app.dataSource.query<{ is_before: boolean; in_flight: number }[]>(
        `SELECT mongo_id < last_document_id AS is_before, cardinality(edits_in_flight) AS in_flight
         FROM task_duplication
         JOIN image ON image.task_id = source_task_id AND image.id = $2
         WHERE task_duplication.task_id = $1`,
        [target, image.img_id],
      );
      expect(row).toEqual({ is_before: true, in_flight: 1 });
      expect(await verify(target)).toEqual({ ...OK, source: 'edited' });
      await damage("UPDATE task_duplication SET edits_in_flight = '{}' WHERE task_id = $1", target);
      const { found } = await verify(target);
      expect(Object.keys(found)).toEqual(['content']);
    });

    it('finds nothing whatever is edited', async () => {
      const someEdits = fc.array(fc.tuple(fc.constantFrom('source', 'target'), fc.nat(5)), { maxLength: 6 });
      await fc.assert(
        fc.asyncProperty(someEdits, async (edits) => {
          const copy = await aCopy();
          for (const [side, at] of edits) {
            const task = copy[side];
            await edit(task, task.images[at]);
          }
          const isEdited = (wanted: string) => edits.some(([side]) => side === wanted);
          expect(await verify(copy.target.id)).toEqual({
            ...OK,
            source: isEdited('source') ? 'edited' : 'same',
            target: isEdited('target') ? 'edited' : 'same',
          });
        }),
        { numRuns: 10 },
      );
    });
  });

  describe('of one whose source is gone', () => {
    const GONE = { ...OK, source: 'gone' };

    it('leaves the content out', async () => {
      const { source, target } = await aCopy();
      expectDone(await api.delete(`/training/tasks/${source.id}`));
      const { body } = await ask(target.id);
      const { checks } = body as unknown as Verification;
      expect(checks.map(({ name }) => name)).toEqual(['counts', 'ids', 'references']);
      expect(await verify(target.id)).toEqual(GONE);
      await edit(target, target.images[0]);
      await edit(target, target.images[4]);
      expect(await verify(target.id)).toEqual({ ...GONE, target: 'edited' });
    });

    it('does not take another task of the same id for the source', async () => {
      const { source, target } = await aCopy();
      expectDone(await api.delete(`/training/tasks/${source.id}`));
      expectDone(await api.importCoco(source.id, aDataSet()));
      expect(await verify(target.id)).toEqual(GONE);
    });

    it('still finds what the copy itself shows', async () => {
      const { source, target } = await aCopy();
      expectDone(await api.delete(`/training/tasks/${source.id}`));
      const [first, second] = [target.images[0]!, target.images[1]!];
      const sql = 'UPDATE image SET mongo_id = $3 WHERE task_id = $1 AND id = $2';
      await damage(sql, target.id, first.img_id, second.mongo_id);
      expect((await verify(target.id)).found).toEqual({ references: [first.img_id] });
      await damage(sql, target.id, first.img_id, null);
      expect((await verify(target.id)).found).toEqual({ counts: ['document_count'] });
    });
  });

  describe('of the copy of an empty task', () => {
    it.each([
      ['target', DATA_SET],
      ['target', { images: [], categories: [{ id: 1, name: 'a' }] }],
      ['source', DATA_SET],
    ] as const)('knows that the %s was imported into later', async (side, dataSet) => {
      const source = await importTask({ images: [] });
      const target = await copyOf(source);
      expectDone(await api.importCoco(side === 'target' ? target : source, dataSet, ''));
      expect(await verify(target)).toEqual({ ...OK, [side]: 'edited' });
    });

    it('goes on looking at what was imported', async () => {
      const target = await copyOf(await importTask({ images: [] }));
      expectDone(await api.importCoco(target, DATA_SET, ''));
      const { images } = await read(target);
      await deleteDocument({ id: target }, images[0]!);
      await damage('UPDATE task SET image_count = 7 WHERE task_id = $1', target);
      expect((await verify(target)).found).toEqual({
        counts: ['image_count'],
        references: [images[0]!.img_id],
      });
    });
  });

  describe('of one that was damaged', () => {
    type Found = Partial<Record<CheckName, readonly string[]>>;
    type Damage = (copy: Copy) => Promise<Found>;

    const updateImage =
      (assignments: string, at: number): ((copy: Copy) => Promise<string>) =>
      async ({ target }) => {
        const { img_id } = target.images[at]!;
        await damage(`UPDATE image SET ${assignments} WHERE task_id = $1 AND id = $2`, target.id, img_id);
        return img_id;
      };

    const changedImage =
      (assignments: string, at = 0): Damage =>
      async (copy) => ({ content: [await updateImage(assignments, at)(copy)] });

    const changedRoi =
      (assignments: string): Damage =>
      async ({ target }) => {
        const { img_id } = target.images[0]!;
        const sql = `UPDATE roi_image SET ${assignments} WHERE task_id = $1 AND image_id = $2`;
        await damage(sql, target.id, img_id);
        return { content: [img_id] };
      };

    const changedClass =
      (assignments: string): Damage =>
      async ({ target }) => {
        const { id } = target.classes[0]!;
        await damage(`UPDATE label_class SET ${assignments} WHERE task_id = $1 AND id = $2`, target.id, id);
        return { content: [String(id)] };
      };

    const wrongCount =
      (column: string, counted = column): Damage =>
      async ({ target }) => {
        const sql = `UPDATE task_duplication SET ${column} = ${column} + 1 WHERE task_id = $1`;
        await damage(sql, target.id);
        return { counts: [counted] };
      };

    const changedDocument =
      (how: DocumentDamage | ((copy: Copy) => DocumentDamage), check: CheckName = 'content'): Damage =>
      async (copy) => {
        const image = copy.target.images[0]!;
        await damageDocument(copy.target, image, typeof how === 'function' ? how(copy) : how);
        // What refers to something that is not there is not what the source's is either.
        return { [check]: [image.img_id], content: [image.img_id] };
      };

    /** Of the text of the json; the first annotation is `{"bbox":[1,2,3,4.5],"area":12}`. */
    const changedText = (from: string, to: string, mongodb: DocumentDamage['mongodb']): Damage =>
      changedDocument({
        postgresql: `annotations = replace(annotations::text, '${from}', '${to}')::json`,
        mongodb,
      });

    /** Exchanges a column of two rows. */
    async function swap(
      table: string,
      column: string,
      task: string,
      [one, other]: readonly [unknown, unknown],
      key = 'id',
    ): Promise<void> {
      const tableOf = (id: string) =>
        `(SELECT other.${column} FROM ${table} AS other WHERE other.task_id = $1 AND other.${key} = ${id})`;
      await inOtherSession(app, async (session) => {
        await session.query('SET session_replication_role = replica');
        if (column === 'order_id')
          await session.query(`ALTER TABLE ${table} DROP CONSTRAINT IF EXISTS ${table}_order`);
        await session.query(
          `UPDATE ${table} AS row
           SET ${column} = CASE WHEN ${key} = $2 THEN ${tableOf('$3')} ELSE ${tableOf('$2')} END
           WHERE task_id = $1 AND ${key} IN ($2, $3)`,
          [task, one, other],
        );
      });
    }

    const DAMAGES: Readonly<Record<string, Damage>> = {
      'a file name': changedImage("name = 'other.jpg'"),
      'a width': changedImage('width = 641'),
      'a height': changedImage('height = 481'),
      'a set_type': changedImage('set_type = 2'),
      'a state': changedImage("state = '已测试'", 2),
      'a state taken away': changedImage('state = NULL'),
      'a state that was not there': changedImage("state = '已标注'", 4),
      'a member of an image': changedImage(`extra = '{"camera":"right"}'`, 1),
      'a member of an image taken away': changedImage('extra = NULL', 1),
      'the place of two images': async ({ target }) => {
        const [one, , , other] = target.images.map(({ img_id }) => img_id);
        await swap('image', 'order_id', target.id, [one, other]);
        // The ranks of the two; those between them are where they were.
        return { content: [other!, one!] };
      },
      'an image that is gone': async ({ source, target }) => {
        const { img_id } = target.images[4]!;
        await damage('DELETE FROM image WHERE task_id = $1 AND id = $2', target.id, img_id);
        // The one behind the gap, and the one that has no copy.
        return { counts: ['image_count'], ids: [target.images[5]!.img_id, source.images[4]!.img_id] };
      },
      'an image too many': async ({ target }) => {
        await damage(
          `INSERT INTO image (task_id, id, set_type, name, width, height, order_id)
           VALUES ($1, 1, 0, 'x', 1, 1, 7)`,
          target.id,
        );
        return { counts: ['image_count'], ids: ['1'] };
      },
      'an image too many that says what it comes from': async ({ source, target }) => {
        await damage(
          `INSERT INTO image (task_id, id, set_type, name, width, height, order_id, copied_from_id)
           SELECT $1, 1, set_type, name, width, height, 7, id
           FROM image
           WHERE task_id = $2
             AND id = $3`,
          target.id,
          source.id,
          source.images[4]!.img_id,
        );
        return { counts: ['image_count'], ids: ['1'], content: expect.any(Array) as string[] };
      },
      'an image from nowhere': async (copy) => ({
        ids: [await updateImage('copied_from_id = NULL', 3)(copy), copy.source.images[3]!.img_id],
      }),
      'an image of another task': async (copy) => ({
        ids: [await updateImage('copied_from_id = 1', 3)(copy), copy.source.images[3]!.img_id],
      }),
      'two images of one': async (copy) => {
        const { img_id } = copy.source.images[3]!;
        const second = await updateImage(`copied_from_id = ${img_id}`, 4)(copy);
        return { ids: [second, copy.source.images[4]!.img_id], content: [second] };
      },
      'two images of each other': async ({ target }) => {
        const ids = [target.images[0]!.img_id, target.images[1]!.img_id] as const;
        await swap('image', 'copied_from_id', target.id, ids);
        return { content: [...ids] };
      },
      'a gap in the order': async (copy) => ({ ids: [await updateImage('order_id = 60', 5)(copy)] }),
      'a ROI that was moved': changedRoi('x = x + 1'),
      'a ROI of another size': changedRoi('width = width - 1'),
      'a ROI of another image': async ({ target }) => {
        const [from, to] = [target.images[0]!.img_id, target.images[2]!.img_id];
        const sql = 'UPDATE roi_image SET image_id = $3 WHERE task_id = $1 AND image_id = $2';
        await damage(sql, target.id, from, to);
        return { content: [from, to] };
      },
      'ROIs of each other': async ({ target }) => {
        const ids = [target.images[0]!.img_id, target.images[1]!.img_id] as const;
        await swap('roi_image', 'copied_from_id', target.id, ids, 'image_id');
        return { content: [...ids] };
      },
      'a ROI from nowhere': async ({ source, target }) => {
        const { img_id } = target.images[0]!;
        const sql = 'UPDATE roi_image SET copied_from_id = NULL WHERE task_id = $1 AND image_id = $2';
        await damage(sql, target.id, img_id);
        return { ids: [source.images[0]!.img_id, img_id], content: [img_id] };
      },
      'a ROI of no image': async ({ target }) => {
        const { img_id } = target.images[5]!;
        await damage(
          'UPDATE roi_image SET image_id = 1 WHERE task_id = $1 AND image_id = $2',
          target.id,
          img_id,
        );
        return { references: ['1'], content: [img_id] };
      },
      'a ROI that is gone': async ({ source, target }) => {
        const { img_id } = target.images[5]!;
        await damage('DELETE FROM roi_image WHERE task_id = $1 AND image_id = $2', target.id, img_id);
        return { counts: ['roi_count'], ids: [source.images[5]!.img_id], content: [img_id] };
      },
      'a ROI too many': async ({ target }) => {
        const { img_id } = target.images[3]!;
        await damage('INSERT INTO roi_image VALUES ($1, 1, $2, 0, 0, 1, 1)', target.id, img_id);
        return { counts: ['roi_count'], ids: [img_id], content: [img_id] };
      },
      "a class's name": changedClass("name = 'renamed'"),
      "a class's colour": changedClass("color = '#000000'"),
      "a class's member": changedClass('extra = NULL'),
      'the place of two classes': async ({ target }) => {
        const ids = [target.classes[0]!.id, target.classes[1]!.id] as const;
        await swap('label_class', 'order_id', target.id, ids);
        return { content: [String(ids[1]), String(ids[0])] };
      },
      'classes of each other': async ({ target }) => {
        const ids = [target.classes[0]!.id, target.classes[1]!.id] as const;
        await swap('label_class', 'copied_from_id', target.id, ids);
        return { content: expect.arrayContaining(ids.map(String)) as string[] };
      },
      'a class that is gone': async ({ source, target }) => {
        const { id } = target.classes[2]!;
        await damage('DELETE FROM label_class WHERE task_id = $1 AND id = $2', target.id, id);
        return { counts: ['label_class_count'], ids: [String(source.classes[2]!.id)] };
      },
      'a class too many': async ({ target }) => {
        await damage(
          `INSERT INTO label_class (task_id, id, name, color, order_id)
           OVERRIDING SYSTEM VALUE VALUES ($1, 2000000000, 'x', '#000000', 4)`,
          target.id,
        );
        return { counts: ['label_class_count'], ids: ['2000000000'] };
      },
      'a class from nowhere': async ({ source, target }) => {
        const { id } = target.classes[2]!;
        await damage(
          'UPDATE label_class SET copied_from_id = 0 WHERE task_id = $1 AND id = $2',
          target.id,
          id,
        );
        return { ids: [String(source.classes[2]!.id), String(id)] };
      },
      'a gap in the order of the classes': async ({ target }) => {
        const { id } = target.classes[2]!;
        await damage('UPDATE label_class SET order_id = 9 WHERE task_id = $1 AND id = $2', target.id, id);
        return { ids: [String(id)] };
      },
      'the info of the data set': async ({ target }) => {
        await damage(`UPDATE task SET coco_info = '{"year":2027}' WHERE task_id = $1`, target.id);
        return { content: [target.id] };
      },
      'the licenses of the data set': async ({ target }) => {
        await damage('UPDATE task SET coco_licenses = NULL WHERE task_id = $1', target.id);
        return { content: [target.id] };
      },
      'the number of images that the task tells': async ({ target }) => {
        await damage('UPDATE task SET image_count = 5 WHERE task_id = $1', target.id);
        return { counts: ['image_count'] };
      },
      'the number of images': wrongCount('image_count'),
      'the number of ROIs': wrongCount('roi_count'),
      'the number of classes': wrongCount('label_class_count'),
      'the number of documents': wrongCount('document_count'),
      'pointers of each other': async ({ target }) => {
        const ids = [target.images[0]!.img_id, target.images[1]!.img_id] as const;
        await swap('image', 'mongo_id', target.id, ids);
        return { references: [...ids], content: [...ids] };
      },
      'a pointer to the old document': async (copy) => {
        const { mongo_id } = copy.source.images[0]!;
        const id = await updateImage(`mongo_id = '${mongo_id!}'`, 0)(copy);
        return { references: [id], content: [id] };
      },
      'a pointer to nothing': async (copy) => {
        const id = await updateImage(`mongo_id = 'ffffffffffffffffffffffff'`, 0)(copy);
        return { references: [id], content: [id] };
      },
      'a pointer that is no id': async (copy) => {
        const id = await updateImage(`mongo_id = 'zzzzzzzzzzzzzzzzzzzzzzzz'`, 0)(copy);
        return { references: [id], content: [id] };
      },
      'a pointer taken away': async (copy) => ({
        counts: ['document_count'],
        content: [await updateImage('mongo_id = NULL', 0)(copy)],
      }),
      'a pointer where there was none': async (copy) => {
        const id = await updateImage(
          `mongo_id = (SELECT document_prefix || image.id + document_shift
                       FROM installation CROSS JOIN task_duplication AS own WHERE own.task_id = image.task_id)`,
          4,
        )(copy);
        return { counts: ['document_count'], references: [id], content: [id] };
      },
      'a pointer to another document, which is the same': async (copy) => {
        const image = copy.target.images[0]!;
        const elsewhere = 'f'.repeat(24);
        await cloneDocument(copy.target, image, elsewhere);
        return { references: [await updateImage(`mongo_id = '${elsewhere}'`, 0)(copy)] };
      },
      'a document that is gone': async ({ target }) => {
        const image = target.images[0]!;
        await deleteDocument(target, image);
        return { references: [image.img_id], content: [image.img_id] };
      },
      'a document of another task': changedDocument(
        ({ source }) => ({
          postgresql: 'task_id = $3::bigint',
          mongodb: { $set: { task_id: BigInt(source.id) } },
          value: source.id,
        }),
        'references',
      ),
      'a document of another image': changedDocument(
        ({ target: { images } }) => ({
          postgresql: 'img_id = $3::bigint',
          mongodb: { $set: { img_id: BigInt(images[1]!.img_id) } },
          value: images[1]!.img_id,
        }),
        'references',
      ),
      'a document with the ROI of the source': changedDocument(
        ({ source: { images } }) => ({
          postgresql: 'img_roi_id = $3::bigint',
          mongodb: { $set: { img_roi_id: BigInt(images[0]!.img_roi_id!) } },
          value: images[0]!.img_roi_id!,
        }),
        'references',
      ),
      'a document with the ROI of another image': changedDocument(({ target: { images } }) => ({
        postgresql: 'img_roi_id = $3::bigint',
        mongodb: { $set: { img_roi_id: BigInt(images[1]!.img_roi_id!) } },
        value: images[1]!.img_roi_id!,
      })),
      'a document without its ROI': changedDocument({
        postgresql: 'img_roi_id = NULL',
        mongodb: { $set: { img_roi_id: null } },
      }),
      'a document with a ROI that it had not': async ({ target }) => {
        const image = target.images[2]!;
        const roi = target.images[0]!.img_roi_id!;
        await damageDocument(target, image, {
          postgresql: 'img_roi_id = $3::bigint',
          mongodb: { $set: { img_roi_id: BigInt(roi) } },
          value: roi,
        });
        return { content: [image.img_id] };
      },
      'an annotation with the class of the source': changedDocument(
        ({ source: { classes } }) => ({
          postgresql: 'lab_class_ids[1] = $3::int',
          mongodb: { $set: { 'annotations.0.lab_class_id': classes[1]!.id } },
          value: classes[1]!.id,
        }),
        'references',
      ),
      'an annotation with another class': changedDocument(({ target: { classes } }) => ({
        postgresql: 'lab_class_ids[1] = $3::int',
        mongodb: { $set: { 'annotations.0.lab_class_id': classes[2]!.id } },
        value: classes[2]!.id,
      })),
      'a coordinate': changedText('4.5', '4.25', { $set: { 'annotations.0.bbox.3': 4.25 } }),
      'the type of a number': changedText('[1,', '[1.0,', {
        $set: { 'annotations.0.bbox.0': new Double(1) },
      }),
      'the order of members': changedText(
        '{"bbox":[1,2,3,4.5],"area":12}',
        '{"area":12,"bbox":[1,2,3,4.5]}',
        [
          {
            $set: {
              annotations: {
                $map: {
                  input: '$annotations',
                  as: 'one',
                  in: {
                    $mergeObjects: [{ lab_class_id: '$$one.lab_class_id', area: '$$one.area' }, '$$one'],
                  },
                },
              },
            },
          },
        ],
      ),
      'a member too many': changedText('"area":12}', '"area":12,"n":null}', {
        $set: { 'annotations.0.n': null },
      }),
      'a member that is gone': changedText(',"area":12}', '}', { $unset: { 'annotations.0.area': 1 } }),
      'an annotation too many': changedDocument(({ target: { classes } }) => ({
        postgresql: `lab_class_ids = lab_class_ids || $3::int,
                     annotations = (left(annotations::text, -1) || ',{}]')::json`,
        mongodb: { $push: { annotations: { lab_class_id: classes[0]!.id } } },
        value: classes[0]!.id,
      })),
      'no annotations any more': changedDocument({
        postgresql: `lab_class_ids = '{}', annotations = '[]'`,
        mongodb: { $set: { annotations: [] } },
      }),
      "the source's document": async ({ source, target }) => {
        await damageDocument(source, source.images[1]!, {
          postgresql: `annotations = replace(annotations::text, '12', '13')::json`,
          mongodb: { $set: { 'annotations.0.area': 13 } },
        });
        return { content: [target.images[1]!.img_id] };
      },
      "the source's document is gone": async ({ source, target }) => {
        await deleteDocument(source, source.images[1]!);
        return { content: [target.images[1]!.img_id] };
      },
    };

    it.each(Object.entries(DAMAGES))('finds %s', async (_, damageIt) => {
      const copy = await aCopy();
      const found = await damageIt(copy);
      expect(await verify(copy.target.id)).toEqual({ ...OK, verified: false, found });
    });

    /** Of the `$2`-th row of the task, whatever the task holds. */
    const DAMAGES_OF_ROWS = {
      image: [
        "SET name = CASE name WHEN 'x' THEN 'y' ELSE 'x' END",
        'SET width = CASE width WHEN 1 THEN 2 ELSE 1 END',
        'SET height = CASE height WHEN 1 THEN 2 ELSE 1 END',
        'SET set_type = (set_type + 1) % 3',
        "SET state = CASE WHEN state = '已测试' THEN NULL ELSE '已测试' END",
        "SET extra = CASE WHEN extra IS NULL THEN '{}'::json END",
        'SET order_id = order_id + 1000',
        'SET copied_from_id = NULL',
        'SET copied_from_id = copied_from_id + 1',
        "SET mongo_id = CASE WHEN mongo_id IS NULL THEN repeat('f', 24) END",
        null,
      ],
      roi_image: [
        ...['x', 'y', 'width', 'height', 'copied_from_id'].map((name) => `SET ${name} = ${name} + 1`),
        'SET image_id = 1',
        null,
      ],
      label_class: [
        "SET name = CASE name WHEN 'x' THEN 'y' ELSE 'x' END",
        "SET color = CASE color WHEN '#000000' THEN '#000001' ELSE '#000000' END",
        "SET extra = CASE WHEN extra IS NULL THEN '{}'::json END",
        'SET order_id = order_id + 1000',
        'SET copied_from_id = copied_from_id + 1',
        null,
      ],
    } as const;

    const rowDamages = Object.entries(DAMAGES_OF_ROWS).flatMap(([table, changes]) =>
      changes.map((change) => (change === null ? `DELETE FROM ${table}` : `UPDATE ${table} ${change}`)),
    );

    async function damageRow(task: string, statement: string, nth: number): Promise<boolean> {
      const [, table] = /^(?:UPDATE|DELETE FROM) (\w+)/.exec(statement)!;
      return inOtherSession(app, async (session) => {
        await session.query('SET session_replication_role = replica');
        const { rowCount } = await session.query(
          `${statement}
           WHERE task_id = $1
             AND id = (
               SELECT id FROM ${table!} WHERE task_id = $1 ORDER BY id
               OFFSET $2 % (SELECT greatest(count(*), 1) FROM ${table!} WHERE task_id = $1) LIMIT 1
             )`,
          [task, nth],
        );
        return rowCount === 1;
      });
    }

    it('finds whatever is done to any row of any copy', async () => {
      await fc.assert(
        fc.asyncProperty(
          anyDataSet,
          fc.constantFrom(...rowDamages),
          fc.nat(99),
          async (dataSet, change, nth) => {
            const target = await copyOf(await importTask(dataSet));
            fc.pre(await damageRow(target, change, nth));
            expect(await verify(target)).toMatchObject({ verified: false });
          },
        ),
        { numRuns: 40, interruptAfterTimeLimit: 45_000 },
      );
    });

    it('names the first few of many, and counts all', async () => {
      const { target } = await aCopy(aDataSet({ images: 503, annotationsEach: 1 }));
      await damage(`UPDATE image SET name = 'x', copied_from_id = 1 WHERE task_id = $1`, target.id);
      const { body } = await ask(target.id);
      const [, ids] = (body as unknown as Verification).checks;
      // All of the one, which are copies of nothing, and all of the other, which have none.
      expect(ids).toMatchObject({ name: 'ids', ok: false, count: 1006 });
      expect(ids!.examples).toHaveLength(EXAMPLES_MAX);
    });

    it('finds documents that differ behind the first page, in their order', async () => {
      const { target } = await aCopy(aDataSet({ images: 1_000, annotationsEach: 1 }));
      const damaged = [3, 501, 502, 998].map((at) => target.images[at]!);
      for (const image of damaged) {
        await damageDocument(target, image, {
          postgresql: `annotations = replace(annotations::text, '20.5', '20.25')::json`,
          mongodb: { $set: { 'annotations.0.bbox.3': 20.25 } },
        });
      }
      expect((await verify(target.id)).found).toEqual({ content: damaged.map(({ img_id }) => img_id) });
    });
  });
});
