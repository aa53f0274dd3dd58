import { randomBytes } from 'node:crypto';
import type { DataSource } from 'typeorm';
import type { CopyPlan } from '../../src/database/copy-plan';
import type { DocumentRange } from '../../src/database/document-range';
import { documentPrefix } from '../../src/database/installation';
import { inSnapshot } from '../../src/database/transaction';
import type { CopiedLabelClass } from '../../src/label-classes/label-class.repository';
import { EXAMPLES_MAX, type DocumentFault } from '../../src/labeled-images/document-faults';
import type {
  LabeledImageRepository,
  NewDocument,
  PlacedDocument,
} from '../../src/labeled-images/labeled-image.repository';
import { copyTask, type CopiedTask } from '../support/copy-task';

/** An adapter with a migrated database of its own for the rows around the documents. */
export interface DocumentStore {
  readonly dataSource: DataSource;
  readonly repository: LabeledImageRepository;
  /** All documents of a task by their ids, also those that no image points to. */
  stored(taskId: string): Promise<StoredDocument[]>;
  close(): Promise<void>;
}

export interface StoredDocument {
  readonly id: string;
  readonly imageId: string;
  readonly roiId: string | null;
  readonly classIds: readonly number[];
  /** The annotations without their classes, in a text that shows the order of members and the types of numbers. */
  readonly rest: string;
}

interface SourceImage {
  readonly id: string;
  readonly orderId: number;
  readonly roiId?: string;
  readonly document?: SourceDocument;
}

interface SourceDocument {
  readonly id: string;
  /** Indices of the task's classes. */
  readonly classes: readonly number[];
  /** JSON of the annotations without their classes, as it is to be stored. */
  readonly rest: string;
}

/** What every adapter of LabeledImageRepository does; nothing above the port may know which one is in use. */
export function describeLabeledImageRepository(adapter: string, open: () => Promise<DocumentStore>): void {
  describe(`the documents in ${adapter}`, () => {
    let store: DocumentStore;
    let repository: LabeledImageRepository;
    let dataSource: DataSource;

    beforeAll(async () => {
      store = await open();
      ({ repository, dataSource } = store);
    });
    afterAll(() => store.close());

    /** A task with two classes (these, or any) and with these images; their documents are written by the adapter. */
    async function aTask(
      images: readonly SourceImage[],
      classIds?: readonly [number, number],
    ): Promise<{ task: string; classes: number[] }> {
      const task = newId();
      await dataSource.query(`INSERT INTO task (task_id, name) VALUES ($1, 'n')`, [task]);
      const classes = await dataSource.query<{ id: number }[]>(
        `INSERT INTO label_class (task_id, id, name, color, order_id) OVERRIDING SYSTEM VALUE
         VALUES ($1, ${classIds?.[0] ?? 'DEFAULT'}, 'a', '#000000', 1), ($1, ${classIds?.[1] ?? 'DEFAULT'}, 'b', '#ffffff', 2)
         RETURNING id`,
        [task],
      );
      const ids = classes.map(({ id }) => id);
      await dataSource.query(
        `INSERT INTO image (task_id, id, set_type, name, width, height, order_id, mongo_id)
         SELECT $1::bigint, id, 0, 'n', 10, 10, "orderId", document ->> 'id'
         FROM json_to_recordset($2::json) AS image (id bigint, "orderId" int, document json)`,
        [task, JSON.stringify(images)],
      );
      await dataSource.query(
        `INSERT INTO roi_image (task_id, id, image_id, x, y, width, height)
         SELECT $1::bigint, "roiId", id, 0, 0, 1, 1
         FROM json_to_recordset($2::json) AS image (id bigint, "roiId" bigint)
         WHERE "roiId" IS NOT NULL`,
        [task, JSON.stringify(images)],
      );
      await insert(task, images, ids);
      return { task, classes: ids };
    }

    async function insert(task: string, images: readonly SourceImage[], classes: number[]): Promise<void> {
      const rows = images.flatMap(({ id, roiId, document }) =>
        document
          ? {
              id: document.id,
              img_id: id,
              img_roi_id: roiId ?? null,
              lab_class_ids: document.classes.map((at) => classes[at]),
              annotations: document.rest,
            }
          : [],
      );
      await inSnapshot(dataSource, ({ manager }) =>
        repository.insert(manager, task, {
          sql: `SELECT id, img_id, img_roi_id, lab_class_ids, annotations::json
                FROM json_to_recordset($2::json)
                  AS row (id text, img_id bigint, img_roi_id bigint, lab_class_ids int[], annotations text)`,
          parameters: [JSON.stringify(rows)],
        }),
      );
    }

    async function point(task: string, image: SourceImage, document: string): Promise<void> {
      await dataSource.query(`UPDATE image SET mongo_id = $3 WHERE task_id = $1 AND id = $2`, [
        task,
        image.id,
        document,
      ]);
    }

    /** As an edit does; the document before is still there. */
    async function replace(
      task: string,
      image: SourceImage & { readonly document: SourceDocument },
      classes: number[],
    ): Promise<void> {
      await insert(task, [image], classes);
      await point(task, image, image.document.id);
    }

    function inspect(task: string): Promise<DocumentFault[]> {
      return inSnapshot(dataSource, (connection) => repository.inspect(connection, task));
    }

    async function removeAll(task: string, range: DocumentRange): Promise<number> {
      let removed = 0;
      for (;;) {
        const count = await repository.remove(task, range);
        if (count === 0) return removed;
        removed += count;
      }
    }

    async function streamOf(task: string): Promise<PlacedDocument[][]> {
      return inSnapshot(dataSource, async (connection) => {
        const batches: PlacedDocument[][] = [];
        for await (const batch of repository.stream(connection, task)) batches.push(batch);
        return batches;
      });
    }

    async function pointersOf(task: string): Promise<Map<string, string | null>> {
      const rows = await dataSource.query<{ id: string; mongo_id: string | null }[]>(
        `SELECT id, mongo_id FROM image WHERE task_id = $1 ORDER BY order_id`,
        [task],
      );
      return new Map(rows.map(({ id, mongo_id }) => [id, mongo_id]));
    }

    function copy(
      source: string,
      target: string,
      known?: (classes: CopiedLabelClass[]) => readonly CopiedLabelClass[],
    ): Promise<CopiedTask> {
      return copyTask(dataSource, repository, source, target, known);
    }

    describe('insert and find', () => {
      it('keep the annotations: the class first, the other members in their order, the values of numbers', async () => {
        const document = aDocument([1, 0, 1], REST);
        const { task, classes } = await aTask([anImage({ document })]);
        const [a, b] = classes;
        const found = await repository.find(dataSource.manager, task, document.id);
        expect(JSON.stringify(found)).toBe(
          JSON.stringify([
            { lab_class_id: b, z: 561, a: { z: 0.1, a: -9007199254740991, 'ключ😀': [[], {}] }, n: null },
            { lab_class_id: a, bbox: [1.5, -2, 0, 5e-324], segmentation: [[1, 2, 3]] },
            { lab_class_id: b },
          ]),
        );
      });

      it('tell a document without annotations from none', async () => {
        const document = aDocument([], '[]');
        const { task } = await aTask([anImage({ document }), anImage({ orderId: 2 })]);
        expect(await repository.find(dataSource.manager, task, document.id)).toEqual([]);
        expect(await repository.find(dataSource.manager, task, newDocumentId())).toBeNull();
        expect(await repository.find(dataSource.manager, task, 'no id of any document')).toBeNull();
      });

      it('take members that a store could take for something of its own', async () => {
        const rest =
          '[{"$ref":"a","$id":1,"a.b":{"$set":1},"_id":2,"_bsontype":"Long","\\u005fx":{"_bsontype":{}}}]';
        const document = aDocument([0], rest);
        const source = await aTask([anImage({ document })]);
        const target = newId();
        expect((await copy(source.task, target)).copied).toBe(1);
        const [pointer] = (await pointersOf(target)).values();
        for (const [task, id] of [
          [source.task, document.id],
          [target, pointer!],
        ] as const) {
          const [annotation] = (await repository.find(dataSource.manager, task, id))!;
          const { lab_class_id: _, ...found } = annotation!;
          expect(JSON.stringify([found])).toBe(JSON.stringify(JSON.parse(rest)));
        }
      });

      it('are scoped to the task', async () => {
        const document = aDocument([0], '[{}]');
        const { task } = await aTask([anImage({ document })]);
        const other = await aTask([]);
        expect(await repository.find(dataSource.manager, other.task, document.id)).toBeNull();
        expect(await repository.find(dataSource.manager, task, document.id)).toHaveLength(1);
      });

      it('keep the references of a document, with a ROI and without', async () => {
        const images = [
          anImage({ orderId: 1, roiId: newId(), document: aDocument([0], '[{"a":1}]') }),
          anImage({ orderId: 2, document: aDocument([1], '[{}]') }),
        ];
        const { task, classes } = await aTask(images);
        const stored = await store.stored(task);
        expect(stored.map(({ rest: _, ...references }) => references)).toEqual(
          images.map(({ id, roiId, document }) => ({
            id: document!.id,
            imageId: id,
            roiId: roiId ?? null,
            classIds: document!.classes.map((at) => classes[at]),
          })),
        );
      });

      it('take any number of rows, and none', async () => {
        const { task } = await aTask(manyImages(2_501));
        expect(await store.stored(task)).toHaveLength(2_501);
        expect(await store.stored((await aTask([anImage()])).task)).toEqual([]);
      });
    });

    describe('insertBatches', () => {
      /** As JSON.stringify writes it: PostgreSQL keeps the text that it is given. */
      const OF_ALL_KINDS = JSON.stringify([
        ...(JSON.parse(REST) as object[]),
        { a: '\t\n\r\\N\u2028\'"', '': {} },
      ]);

      it('writes what insert writes', async () => {
        const images = [
          anImage({ orderId: 1, roiId: newId(), document: aDocument([1, 0, 1, 0], OF_ALL_KINDS) }),
          anImage({ orderId: 2, document: aDocument([], '[]') }),
        ];
        const { task, classes } = await aTask(images);
        const twin = newId();
        await dataSource.query(`INSERT INTO task (task_id, name) VALUES ($1, 'n')`, [twin]);
        await insertBatches(twin, [
          images.map((image) => ({ ...toNew(image, classes), id: newDocumentId() })),
        ]);
        expect(withoutIds(await store.stored(twin))).toEqual(withoutIds(await store.stored(task)));
      });

      it('takes any number of batches, and none', async () => {
        const { task, classes } = await aTask([]);
        await insertBatches(task, []);
        expect(await store.stored(task)).toEqual([]);
        const documents = manyImages(1_201).map((image) => toNew(image, classes));
        await insertBatches(
          task,
          Array.from({ length: 13 }, (_, at) => documents.slice(100 * at, 100 * (at + 1))),
        );
        expect((await store.stored(task)).map(({ id }) => id).sort()).toEqual(
          documents.map(({ id }) => id).sort(),
        );
      });

      it('has failed where one batch could not be written, and asks for no more', async () => {
        const { task, classes } = await aTask([]);
        const [first, second] = manyImages(2).map((image) => toNew(image, classes));
        let asked = 0;
        const batches = Array.from({ length: 50 }, () => [second!]);
        await expect(insertBatches(task, [[first!], [first!], ...batches], () => asked++)).rejects.toThrow();
        expect(asked).toBeLessThan(batches.length);
      });

      it('fails with what the batches throw, and leaves no statement on its way', async () => {
        const { task, classes } = await aTask([]);
        const documents = manyImages(3).map((image) => toNew(image, classes));
        const fault = new Error('the file ends here');
        const failing = inSnapshot(dataSource, async (connection) => {
          const batches = async function* () {
            for (const document of documents) yield await Promise.resolve([document]);
            throw fault;
          };
          await expect(repository.insertBatches(connection.manager, task, batches())).rejects.toBe(fault);
          // A statement behind one that was left would wait for it.
          await connection.query('SELECT');
          throw fault;
        });
        await expect(failing).rejects.toBe(fault);
      });

      it('fails with what failed first where the batches use the connection, too', async () => {
        const { task, classes } = await aTask([]);
        const documents = manyImages(3).map((image) => toNew(image, classes));
        const failing = inSnapshot(dataSource, async (connection) => {
          const batches = async function* () {
            yield [documents[0]!]; // of three
            const statement = connection.query('SELECT 1 / 0');
            statement.catch(() => undefined); // waited for when the next batch is on its way
            yield [documents[1]!];
            await statement;
          };
          await repository.insertBatches(connection.manager, task, batches());
        });
        await expect(failing).rejects.toMatchObject({ driverError: { code: '22012' } });
      });

      function toNew({ id, roiId, document }: SourceImage, classes: readonly number[]): NewDocument {
        const { id: mongoId, classes: places, rest } = document!; // of an image that has one
        return {
          id: mongoId,
          imageId: id,
          roiId: roiId ?? null,
          labClassIds: places.map((at) => classes[at]!), // of two
          annotations: (JSON.parse(rest) as Record<string, unknown>[]).map((one) => repository.prepare(one)),
        };
      }

      /** The connection is used between two batches, as an import does that looks something up. */
      function insertBatches(
        task: string,
        batches: readonly (readonly NewDocument[])[],
        asked: () => void = () => undefined,
      ): Promise<void> {
        return inSnapshot(dataSource, async (connection) => {
          const read = async function* () {
            for (const batch of batches) {
              asked();
              await connection.query('SELECT');
              yield batch;
            }
          };
          await repository.insertBatches(connection.manager, task, read());
        });
      }

      function withoutIds(documents: readonly StoredDocument[]): unknown[] {
        return documents.map(({ id: _, ...document }) => document);
      }
    });

    describe('stream', () => {
      it('goes by order_id; a place counts the images without a document too', async () => {
        const { task, classes } = await aTask([
          anImage({ orderId: 40, document: aDocument([0], '[{"n":4}]') }),
          anImage({ orderId: 10 }),
          anImage({ orderId: 30, document: aDocument([], '[]') }),
          anImage({ orderId: 50 }),
          anImage({ orderId: 20, document: aDocument([1, 0], '[{"n":2},{}]') }),
        ]);
        const [a, b] = classes;
        expect((await streamOf(task)).flat()).toEqual([
          { place: 2, annotations: [{ lab_class_id: b, n: 2 }, { lab_class_id: a }] },
          { place: 3, annotations: [] },
          { place: 4, annotations: [{ lab_class_id: a, n: 4 }] },
        ]);
      });

      it('comes in batches that together are all, each once', async () => {
        const { task } = await aTask(manyImages(2_501, (at) => at % 3 !== 0));
        const batches = await streamOf(task);
        expect(batches.length).toBeGreaterThan(1);
        expect(batches.every(({ length }) => length > 0)).toBe(true);
        const expected = Array.from({ length: 2_501 }, (_, at) => at).filter((at) => at % 3 !== 0);
        expect(batches.flat().map(({ place, annotations }) => [place, annotations[0]!['n']])).toEqual(
          expected.map((at) => [at + 1, at]),
        );
      });

      it('passes over any number of images without a document', async () => {
        const { task } = await aTask(manyImages(1_200, (at) => at === 0 || at === 1_199));
        expect((await streamOf(task)).flat().map(({ place }) => place)).toEqual([1, 1_200]);
      });

      it('does not hold large documents all at once', async () => {
        const large = () => JSON.stringify([{ counts: randomBytes(300_000).toString('base64') }]);
        const { task } = await aTask(
          [1, 2, 3, 4].map((orderId) => anImage({ orderId, document: aDocument([0], large()) })),
        );
        const batches = await streamOf(task);
        expect(batches.length).toBeGreaterThan(1);
        expect(batches.flat().map(({ place }) => place)).toEqual([1, 2, 3, 4]);
      });

      it('shows only what the images of the task point to', async () => {
        const image = anImage({ document: aDocument([0], '[{"n":1}]') });
        const { task, classes } = await aTask([image]);
        await insert(task, [{ ...image, document: aDocument([0], '[{"n":2}]') }], classes);
        await aTask([{ ...image, document: aDocument([1], '[{"n":3}]') }]);
        expect((await streamOf(task)).flat().map(({ annotations }) => annotations[0]!['n'])).toEqual([1]);
      });

      it('fails where an image points to nothing, or to the document of another task', async () => {
        const images = manyImages(3);
        const { task } = await aTask(images);
        const elsewhere = anImage({ document: aDocument([0], '[{}]') });
        await aTask([elsewhere]);
        await point(task, images[1]!, elsewhere.document!.id);
        await expect(streamOf(task)).rejects.toThrow(elsewhere.document!.id);
        await point(task, images[1]!, newDocumentId());
        await expect(streamOf(task)).rejects.toThrow(/is not there/);
      });

      it('of a task without documents is empty', async () => {
        expect(await streamOf((await aTask([])).task)).toEqual([]);
        expect(await streamOf((await aTask([anImage()])).task)).toEqual([]);
      });

      it('may be left early', async () => {
        const { task } = await aTask(manyImages(600));
        const first = await inSnapshot(dataSource, async (connection) => {
          for await (const batch of repository.stream(connection, task)) return batch;
          return [];
        });
        expect(first[0]).toMatchObject({ place: 1 });
        expect((await streamOf(task)).flat()).toHaveLength(600);
      });
    });

    describe('copy', () => {
      it('rewrites every reference, and nothing else', async () => {
        const images = [
          anImage({ orderId: 3, roiId: newId(), document: aDocument([1, 0, 1], REST) }),
          anImage({ orderId: 1, document: aDocument([0], '[{"n":1.0}]') }),
          anImage({ orderId: 2 }),
          anImage({ orderId: 7, roiId: newId(), document: aDocument([], '[]') }),
        ];
        const source = await aTask(images);
        const before = await store.stored(source.task);
        const target = newId();
        const { copied, plan, labelClasses } = await copy(source.task, target);
        expect(copied).toBe(3);
        const newImage = shifted(plan.imageRuns);
        const newRoi = shifted(plan.roiRuns);
        const newClass = new Map(labelClasses.map(({ sourceId, id }) => [sourceId, id]));
        expect(await store.stored(target)).toEqual(
          before.map(({ imageId, roiId, classIds, rest }) => ({
            id: plan.documentPrefix + String(newImage(imageId) + plan.documentShift),
            imageId: String(newImage(imageId)),
            roiId: roiId && String(newRoi(roiId)),
            classIds: classIds.map((id) => newClass.get(id)),
            rest,
          })),
        );
        expect(await store.stored(source.task)).toEqual(before);
      });

      it('is found by the pointers of the new images', async () => {
        const source = await aTask(manyImages(7, (at) => at % 2 === 0));
        const target = newId();
        await copy(source.task, target);
        const pointers = [...(await pointersOf(target)).values()];
        expect(pointers.map((id) => id !== null)).toEqual([true, false, true, false, true, false, true]);
        const ids = pointers.filter((id) => id !== null);
        const found = await Promise.all(ids.map((id) => repository.find(dataSource.manager, target, id)));
        expect(found.map((annotations) => annotations?.[0]?.['n'])).toEqual([0, 2, 4, 6]);
        expect((await streamOf(target)).flat().map(({ place }) => place)).toEqual([1, 3, 5, 7]);
      });

      it('takes any number of documents, and none', async () => {
        const [many, none] = [await aTask(manyImages(2_501)), await aTask([anImage()])];
        const [manyTarget, noneTarget] = [newId(), newId()];
        expect((await copy(many.task, manyTarget)).copied).toBe(2_501);
        expect(await store.stored(manyTarget)).toHaveLength(2_501);
        expect((await copy(none.task, noneTarget)).copied).toBe(0);
        expect(await store.stored(noneTarget)).toEqual([]);
      });

      it('takes images whose ids are scattered', async () => {
        const images = [1, 2, 3].map((orderId) =>
          anImage({
            id: newId(5_000),
            orderId,
            roiId: newId(5_000),
            document: aDocument([0], `[{"n":${String(orderId)}}]`),
          }),
        );
        const target = newId();
        const { copied, plan } = await copy((await aTask(images)).task, target);
        expect(plan.imageRuns).toHaveLength(3);
        expect(copied).toBe(3);
        expect((await streamOf(target)).flat().map(({ annotations }) => annotations[0]!['n'])).toEqual([
          1, 2, 3,
        ]);
      });

      it('takes more runs of ids than one statement has room for', async () => {
        const prefix = await documentPrefix(dataSource.manager);
        const images = Array.from({ length: 250 }, (_, at): SourceImage => {
          const id = newId(at % 2 === 0 ? 5_000 : 2);
          const document = { id: prefix + String(BigInt(id) + 1n), classes: [at % 2], rest: `[{"n":${at}}]` };
          return { id, orderId: at + 1, roiId: newId(at % 2 === 0 ? 5_000 : 2), document };
        });
        const source = await aTask(images);
        const target = newId();
        const { copied, plan } = await copy(source.task, target);
        expect(plan.imageRuns).toHaveLength(250);
        expect(copied).toBe(250);
        expect((await streamOf(target)).flat().map(({ annotations }) => annotations[0]!['n'])).toEqual(
          images.map((_, at) => at),
        );
        const [newImage, newRoi] = [shifted(plan.imageRuns), shifted(plan.roiRuns)];
        expect((await store.stored(target)).map(({ imageId, roiId }) => [imageId, roiId])).toEqual(
          images.map(({ id, roiId }) => [String(newImage(id)), String(newRoi(roiId!))]),
        );
      });

      it('takes a copy that was edited: the new documents, and not those they replace', async () => {
        const images = manyImages(1_200, (at) => at % 5 !== 0);
        const source = await aTask(images);
        const edited = newId();
        const { plan, labelClasses } = await copy(source.task, edited);
        const newImage = shifted(plan.imageRuns);
        for (const at of [1, 2, 601, 1_199]) {
          const document = aDocument([0, 1], `[{"n":"edited"},{"n":${at}}]`);
          const image = { ...images[at]!, id: String(newImage(images[at]!.id)), document };
          await replace(
            edited,
            image,
            labelClasses.map(({ id }) => id),
          );
        }
        const target = newId();
        expect((await copy(edited, target)).copied).toBe(960);
        expect(await store.stored(target)).toHaveLength(960);
        const content = (documents: PlacedDocument[][]) =>
          documents.flat().map(({ place, annotations }) => [place, annotations.map(({ n }) => n)]);
        expect(content(await streamOf(target))).toEqual(content(await streamOf(edited)));
        expect(await inspect(target)).toEqual([]);
      });

      it('leaves out a stray document that lies among those of a copy', async () => {
        const images = manyImages(5, (at) => at !== 2);
        const source = await aTask(images);
        const between = newId();
        const { plan, labelClasses } = await copy(source.task, between);
        const newImage = shifted(plan.imageRuns);
        const free = plan.documentPrefix + String(newImage(images[2]!.id) + plan.documentShift);
        const stray = {
          ...images[1]!,
          id: String(newImage(images[1]!.id)),
          document: { ...aDocument([0], '[{"n":"stray"}]'), id: free },
        };
        await insert(
          between,
          [stray],
          labelClasses.map(({ id }) => id),
        );
        const target = newId();
        expect((await copy(between, target)).copied).toBe(4);
        expect((await streamOf(target)).flat().map(({ annotations }) => annotations[0]!['n'])).toEqual([
          0, 1, 3, 4,
        ]);
      });

      it('takes two images that share a document as one copy and one fault', async () => {
        const images = manyImages(2);
        const { task } = await aTask(images);
        await point(task, images[0]!, images[1]!.document!.id);
        const target = newId();
        expect((await copy(task, target)).copied).toBe(1);
        expect(await inspect(task)).toEqual([{ kind: 'foreign', count: 1, images: [images[0]!.id] }]);
      });

      it('takes a document that somebody else has named', async () => {
        const document = { ...aDocument([0], '[{"n":1}]'), id: '507f1f77bcf86cd799439011' };
        const target = newId();
        expect((await copy((await aTask([anImage({ document })])).task, target)).copied).toBe(1);
        const [pointer] = (await pointersOf(target)).values();
        expect(await repository.find(dataSource.manager, target, pointer!)).toMatchObject([{ n: 1 }]);
      });

      it('leaves out a document of the same image that nothing points to', async () => {
        const images = manyImages(3);
        const source = await aTask(images);
        const replaced = images.map((image) => ({ ...image, document: aDocument([1], '[{"n":"old"}]') }));
        await insert(source.task, replaced, source.classes);
        await insert(source.task, [anImage({ ...images[1], document: aDocument([], '[]') })], source.classes);
        const target = newId();
        expect((await copy(source.task, target)).copied).toBe(3);
        expect((await store.stored(target)).map(({ rest }) => rest)).toEqual(
          (await store.stored(source.task)).slice(0, 3).map(({ rest }) => rest),
        );
      });

      it('leaves out what another task has for the same images', async () => {
        const images = manyImages(2);
        const source = await aTask(images);
        const elsewhere = images.map((image) => ({ ...image, document: aDocument([0], '[{"n":"other"}]') }));
        await aTask(elsewhere);
        await point(source.task, images[0]!, elsewhere[0]!.document.id);
        const target = newId();
        expect((await copy(source.task, target)).copied).toBe(1);
        expect((await store.stored(target)).map(({ rest }) => rest)).toEqual(
          (await store.stored(source.task)).slice(1).map(({ rest }) => rest),
        );
      });

      it('does not count a pointer to nothing, nor one to the document of another image', async () => {
        const images = manyImages(4);
        const { task } = await aTask(images);
        await point(task, images[0]!, newDocumentId());
        await point(task, images[1]!, images[2]!.document!.id);
        const target = newId();
        expect((await copy(task, target)).copied).toBe(2);
        expect((await store.stored(target)).map(({ rest }) => rest)).toEqual(
          (await store.stored(task)).slice(2).map(({ rest }) => rest),
        );
      });

      it('does not count a document whose ROI is not copied', async () => {
        const images = manyImages(2);
        const { task, classes } = await aTask(images);
        await replace(task, { ...images[0]!, roiId: newId(), document: aDocument([0], '[{}]') }, classes);
        expect((await copy(task, newId())).copied).toBe(1);
      });

      it('leaves a document out that has a class which the copy does not have', async () => {
        const source = await aTask([anImage({ document: aDocument([0, 1], '[{},{}]') })]);
        expect((await copy(source.task, newId(), ([first]) => [first!])).copied).toBe(0);
        expect((await copy(source.task, newId(), () => [])).copied).toBe(0);
        expect((await copy(source.task, newId())).copied).toBe(1);
      });

      it('takes any number of classes', async () => {
        const source = await aTask([anImage({ document: aDocument([1], '[{}]') })]);
        const many = Array.from({ length: 150_000 }, (_, at) => ({ sourceId: 10 ** 9 + at, id: 1 + at }));
        expect((await copy(source.task, newId(), (known) => [...many, ...known])).copied).toBe(1);
      });

      it.each([
        ['near each other', 1_000_000_000, 1_000_000_020],
        ['far apart', 1_100_000_000, 2_100_000_000],
      ])(
        'takes classes whose ids lie %s, and leaves out what lies between them or beside',
        async (_title, ...ids) => {
          const images = manyImages(8);
          const source = await aTask(images, ids);
          const [low, high] = ids;
          const unknown = [0, -(2 ** 31), low - 1, Math.floor((low + high) / 2), high + 1, 2 ** 31 - 1];
          for (const [at, id] of unknown.entries()) {
            const document = aDocument([0, 1], '[{},{}]');
            await replace(source.task, { ...images[at]!, document }, [high, id]);
          }
          const both = { ...images[6]!, document: aDocument([1, 0], '[{},{}]') };
          await replace(source.task, both, source.classes);
          const target = newId();
          const { copied, labelClasses } = await copy(source.task, target);
          expect(copied).toBe(2);
          const newClass = new Map(labelClasses.map(({ sourceId, id }) => [sourceId, id]));
          expect((await store.stored(target)).map(({ classIds }) => classIds)).toEqual([
            [newClass.get(high), newClass.get(low)],
            [newClass.get(high)],
          ]);
        },
      );
    });

    describe('inspect', () => {
      it('finds nothing in a task that can be copied', async () => {
        const { task } = await aTask([
          anImage({ orderId: 1, roiId: newId(), document: aDocument([1, 0], '[{},{}]') }),
          anImage({ orderId: 2, document: aDocument([], '[]') }),
          anImage({ orderId: 3 }),
        ]);
        expect(await inspect(task)).toEqual([]);
        expect(await inspect((await aTask([])).task)).toEqual([]);
      });

      it('names what keeps documents from being copied, and nothing else', async () => {
        const images = manyImages(6);
        const { task, classes } = await aTask(images);
        await point(task, images[0]!, newDocumentId());
        await point(task, images[1]!, images[2]!.document!.id);
        await replace(task, { ...images[3]!, roiId: newId(), document: aDocument([0], '[{}]') }, classes);
        await replace(task, { ...images[4]!, document: aDocument([0, 1], '[{},{}]') }, [
          classes[0]!,
          2 ** 31 - 1,
        ]);
        expect(await inspect(task)).toEqual([
          { kind: 'foreign', count: 2, images: [images[1]!.id, images[3]!.id] },
          { kind: 'missing', count: 1, images: [images[0]!.id] },
          { kind: 'unknown_class', count: 1, images: [images[4]!.id] },
        ]);
        expect((await copy(task, newId())).copied).toBe(2);
      });

      it('counts all and names the first few by order_id', async () => {
        const { task } = await aTask(manyImages(2_100).reverse());
        await dataSource.query(
          `UPDATE image SET mongo_id = 'abcde' || (id + 1000000000) WHERE task_id = $1 AND order_id > 40`,
          [task],
        );
        const missing = [...(await pointersOf(task)).keys()].slice(40);
        expect(await inspect(task)).toEqual([
          { kind: 'missing', count: 2_060, images: missing.slice(0, EXAMPLES_MAX) },
        ]);
      });

      it("takes another task's document for none, and its classes for unknown", async () => {
        const images = manyImages(2);
        const { task } = await aTask(images);
        const other = await aTask([{ ...images[0]!, document: aDocument([0], '[{}]') }]);
        const [elsewhere] = (await pointersOf(other.task)).values();
        await point(task, images[0]!, elsewhere!);
        await replace(task, { ...images[1]!, document: aDocument([0], '[{}]') }, other.classes);
        expect(await inspect(task)).toEqual([
          { kind: 'missing', count: 1, images: [images[0]!.id] },
          { kind: 'unknown_class', count: 1, images: [images[1]!.id] },
        ]);
      });
    });

    describe('compare', () => {
      /** Every image with the source's, also where they have no document. */
      const ALL_PAIRS = `
        SELECT copied.id, copied.order_id, copied.mongo_id, original.id, original.mongo_id
        FROM image AS copied
        JOIN image AS original ON original.task_id = $2::bigint AND original.id = copied.copied_from_id
        WHERE copied.task_id = $1::bigint`;

      const compare = (target: string, source: string, where = 'copied.mongo_id IS NOT NULL') =>
        inSnapshot(dataSource, (connection) =>
          repository.compare(
            connection,
            { target, source },
            { sql: `${ALL_PAIRS} AND ${where}`, parameters: [] },
          ),
        );

      it('finds nothing in a copy, whatever is in it', async () => {
        const named = { ...aDocument([0], '[{"n":1}]'), id: '507f1f77bcf86cd799439012' };
        const source = await aTask([
          anImage({ orderId: 3, roiId: newId(), document: aDocument([1, 0, 1], REST) }),
          anImage({ orderId: 1, document: aDocument([0], '[{"n":1.0}]') }),
          anImage({ orderId: 2 }),
          anImage({ orderId: 7, roiId: newId(), document: aDocument([], '[]') }),
          anImage({ id: newId(5_000), orderId: 9, roiId: newId(5_000), document: named }),
        ]);
        const [target, copyOfCopy] = [newId(), newId()];
        await copy(source.task, target);
        await copy(target, copyOfCopy);
        expect(await compare(target, source.task)).toEqual({ count: 0, examples: [] });
        expect(await compare(copyOfCopy, target)).toEqual({ count: 0, examples: [] });
        expect(await compare(target, source.task, 'false')).toEqual({ count: 0, examples: [] });
      });

      it.each<[string, (document: SourceDocument) => SourceDocument | null]>([
        ['a value', (document) => ({ ...document, rest: document.rest.replace('0.5', '0.25') })],
        ['the order of members', (document) => ({ ...document, rest: '[{"b":3,"a":0.5},{}]' })],
        ['a member too many', (document) => ({ ...document, rest: '[{"a":0.5,"b":3},{"c":null}]' })],
        ['a member less', (document) => ({ ...document, rest: '[{"a":0.5},{}]' })],
        ['an annotation less', (document) => ({ ...document, classes: [0], rest: '[{"a":0.5,"b":3}]' })],
        ['a class', (document) => ({ ...document, classes: [1, 1] })],
        ['the order of the classes', (document) => ({ ...document, classes: [1, 0] })],
        ['a class of another task', (document) => ({ ...document, classes: [2, 1] })],
        ['that it is not there', () => null],
      ])('finds %s', async (_, change) => {
        const rest = '[{"a":0.5,"b":3},{}]';
        const images = [1, 2].map((orderId) =>
          anImage({ orderId, roiId: newId(), document: aDocument([0, 1], rest) }),
        );
        const source = await aTask(images);
        const target = newId();
        const { plan, labelClasses } = await copy(source.task, target);
        const [id, roiId] = [
          shifted(plan.imageRuns)(images[1]!.id),
          shifted(plan.roiRuns)(images[1]!.roiId!),
        ];
        const image = { orderId: 2, id: String(id), roiId: String(roiId) };
        const changed = change(aDocument([0, 1], rest));
        const classes = [...labelClasses.map((copied) => copied.id), source.classes[0]!];
        if (changed) await replace(target, { ...image, document: changed }, classes);
        else await point(target, image, newDocumentId());
        expect(await compare(target, source.task)).toEqual({ count: 1, examples: [image.id] });
        await replace(target, { ...image, document: aDocument([0, 1], rest) }, classes);
        expect(await compare(target, source.task)).toEqual({ count: 0, examples: [] });
      });

      it('finds a document with another ROI, and one of another image', async () => {
        const images = [1, 2, 3, 4].map((orderId) =>
          anImage({ orderId, roiId: newId(), document: aDocument([0], '[{}]') }),
        );
        images.push(anImage({ orderId: 5, document: aDocument([0], '[{}]') }));
        const source = await aTask(images);
        const target = newId();
        const { plan, labelClasses } = await copy(source.task, target);
        const classes = labelClasses.map(({ id }) => id);
        const ids = images.map(({ id }) => String(shifted(plan.imageRuns)(id)));
        const otherRoi = String(shifted(plan.roiRuns)(images[3]!.roiId!));
        const document = () => ({ orderId: 1, document: aDocument([0], '[{}]') });
        await replace(target, { ...document(), id: ids[0]! }, classes);
        await replace(target, { ...document(), id: ids[1]!, roiId: otherRoi }, classes);
        const [, , , pointer] = (await pointersOf(target)).values();
        await point(target, { orderId: 3, id: ids[2]! }, pointer!);
        await replace(target, { ...document(), id: ids[4]!, roiId: newId() }, classes);
        const found = [ids[0], ids[1], ids[2], ids[4]];
        expect(await compare(target, source.task)).toEqual({ count: 4, examples: found });
      });

      it('finds what the source has lost, and a pointer to its document', async () => {
        const images = manyImages(3);
        const source = await aTask(images);
        const target = newId();
        await copy(source.task, target);
        const [first, second] = (await pointersOf(target)).keys();
        await point(source.task, images[0]!, newDocumentId());
        await point(target, { orderId: 2, id: second! }, images[1]!.document!.id);
        expect(await compare(target, source.task)).toEqual({ count: 2, examples: [first, second] });
      });

      it('counts all and names the first few by their place', async () => {
        const source = await aTask(manyImages(1_203).reverse());
        const target = newId();
        await copy(source.task, target);
        await dataSource.query(
          `UPDATE image SET mongo_id = 'abcde' || (id + 1000000000) WHERE task_id = $1 AND order_id > 40`,
          [target],
        );
        const damaged = [...(await pointersOf(target)).keys()].slice(40);
        expect(await compare(target, source.task)).toEqual({
          count: 1_163,
          examples: damaged.slice(0, EXAMPLES_MAX),
        });
        expect(await compare(target, source.task, 'copied.order_id <= 40')).toEqual({
          count: 0,
          examples: [],
        });
      });
    });

    describe('retire and remove', () => {
      it('take away the documents of the task in the range, and no others', async () => {
        const images = manyImages(5);
        const { task } = await aTask(images);
        const inside = anImage({
          document: { ...aDocument([0], '[{}]'), id: images[2]!.document!.id.replace(/.$/, 'f') },
        });
        const other = await aTask([inside]);
        const [firstId, lastId] = [images[1]!.document!.id, images[3]!.document!.id];
        await inSnapshot(dataSource, ({ manager }) => repository.retire(manager, task, { firstId, lastId }));
        await removeAll(task, { firstId, lastId });
        expect((await store.stored(task)).map(({ id }) => id)).toEqual([
          images[0]!.document!.id,
          images[4]!.document!.id,
        ]);
        expect(await store.stored(other.task)).toHaveLength(1);
        expect(await repository.remove(task, { firstId, lastId })).toBe(0);
      });

      it('take away any number of documents', async () => {
        const images = manyImages(5_500);
        const { task } = await aTask(images);
        const range = { firstId: images[0]!.document!.id, lastId: images.at(-1)!.document!.id };
        await inSnapshot(dataSource, ({ manager }) => repository.retire(manager, task, range));
        // One call does no more than a sweeper should wait for.
        expect(await repository.remove(task, range)).toBeLessThan(5_500);
        await removeAll(task, range);
        expect(await store.stored(task)).toEqual([]);
      });

      it('leave the documents to who reads in an older snapshot', async () => {
        const images = manyImages(3);
        const { task } = await aTask(images);
        const range = { firstId: images[0]!.document!.id, lastId: images[2]!.document!.id };
        const seen = await inSnapshot(dataSource, async (reader) => {
          await reader.query('SELECT FROM image LIMIT 1');
          await inSnapshot(dataSource, ({ manager }) => repository.retire(manager, task, range));
          const documents: PlacedDocument[] = [];
          for await (const batch of repository.stream(reader, task)) documents.push(...batch);
          return documents;
        });
        expect(seen).toHaveLength(3);
      });

      it('do nothing when the transaction fails', async () => {
        const images = manyImages(1);
        const { task } = await aTask(images);
        const { id } = images[0]!.document!;
        await expect(
          inSnapshot(dataSource, async ({ manager }) => {
            await repository.retire(manager, task, { firstId: id, lastId: id });
            throw new Error('rolled back');
          }),
        ).rejects.toThrow('rolled back');
        expect(await store.stored(task)).toHaveLength(1);
      });
    });
  });
}

/** Order of members, a double that is whole, integer-like and unusual names, the smallest and the largest numbers. */
const REST = `[{"z":561.0,"a":{"z":0.1,"a":-9007199254740991,"ключ😀":[[],{}]},"n":null},
  {"bbox":[1.5,-2,0,5e-324],"segmentation":[[1,2,3]]},{}]`.replace(/\n\s*/, '');

let lastId = 2018102439652890000n;

/** Ids only grow, by this much. */
function newId(step = 1): string {
  lastId += BigInt(step);
  return String(lastId);
}

function newDocumentId(): string {
  return `abcde${newId()}`;
}

function aDocument(classes: readonly number[], rest: string): SourceDocument {
  return { id: newDocumentId(), classes, rest };
}

function anImage(image: Partial<SourceImage> = {}): SourceImage {
  return { id: newId(), orderId: 1, ...image };
}

/** With one annotation each, `n` the place of its image from 0 on. */
function manyImages(count: number, hasDocument: (at: number) => boolean = () => true): SourceImage[] {
  return Array.from({ length: count }, (_, at) => {
    const rest = `[{"n":${String(at)}}]`;
    return anImage({ orderId: at + 1, ...(hasDocument(at) && { document: aDocument([at % 2], rest) }) });
  });
}

/** The arithmetic of the plan; an id outside its runs is a failure. */
function shifted(runs: CopyPlan['imageRuns']): (id: string) => bigint {
  return (id) => {
    const run = runs.find(({ firstId, lastId }) => BigInt(id) >= firstId && BigInt(id) <= lastId);
    if (!run) throw new Error(`${id} is in no run`);
    return BigInt(id) + run.shift;
  };
}
