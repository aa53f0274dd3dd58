import fc from 'fast-check';
import { anyDataSet, KNOWN_MEMBERS, listsAround } from '../support/any-data-set';
import { newTaskId } from '../support/api';
import type { CocoDataSet } from '../support/data-set';
import type { Relations } from '../support/relations';
import { contentOf, type TaskContent } from '../support/task-content';
import { TestApp } from '../support/test-app';

let app: TestApp;

beforeAll(async () => {
  app = await TestApp.start();
});
afterAll(() => app.stop());

/** What has gone wrong once, or is easy to get wrong; tried first, for ever. */
const EXAMPLES: CocoDataSet[] = [
  { images: [], categories: [], annotations: [] },
  { images: [], categories: [{ id: 0, name: '同名' }], annotations: [] },
  JSON.parse(`{
    "info": {"__proto__": {"a": null}, "10": 1, "9": 2},
    "licenses": [1e-7, 0.1, 5e-324, -9007199254740991, "\\u2028\\ud83d\\ude00"],
    "images": [
      {"id": 1, "file_name": "😀", "width": 2147483647, "height": 1, "roi": [2147483646, 0, 1, 1], "order_id": 2147483647,
       "__proto__": 1, "annotations": [], "mongo_id": "x"},
      {"id": 0, "file_name": "b", "width": 1, "height": 1, "state": "已测试", "set_type": 2, "order_id": 5, "7": {"b": 1, "a": 2}},
      {"id": "1", "file_name": "b", "width": 1, "height": 1, "order_id": 1}
    ],
    "categories": [
      {"id": 3, "name": "same", "supercategory": null, "__proto__": []},
      {"id": "3", "name": "same", "color": "#ABCDEF", "order_id": 9}
    ],
    "annotations": [
      {"image_id": 1, "category_id": "3", "z": 561.0, "a": {"z": 1, "a": 9007199254740991, "0": -0.5}, "__proto__": {"q": []},
       "img_id": "2018102439652891014", "12": "first", "bbox": [0, -1.5, 0, 0]},
      {"image_id": 1, "category_id": 3, "segmentation": {"counts": "\\\\\\"", "size": [1, 2]}, "mongo_id": 7},
      {"image_id": 1, "category_id": "3", "segmentation": [[1, 2, 3]], "": {"": [[], {}]}}
    ]
  }`) as CocoDataSet,
  {
    images: [{ id: 1, file_name: '𠮷'.repeat(1024), width: 1, height: 1, deep: listsAround(99) }],
    categories: [{ id: 1, name: '𠮷'.repeat(200), deep: listsAround(99) }],
    annotations: [{ image_id: 1, category_id: 1, deep: listsAround(97) }],
  },
];

it('a copy mapped back by its relations is its source, and so is the copy of a copy', async () => {
  await fc.assert(
    fc.asyncProperty(anyDataSet, async (dataSet) => {
      const [source, copy, copyOfCopy] = [newTaskId(), newTaskId(), newTaskId()];
      const { status, text } = await app.api.importCoco(source, dataSet, 'task_type=2&task_name=原');
      if (status !== 200) throw new Error(`the import answered ${text}`);
      const original = await contentOf(app.api, source);
      expectKept(dataSet, original);
      const copied = await expectLaws(source, original, copy);
      await expectLaws(copy, copied, copyOfCopy);
      for (const [task, before] of [
        [source, original],
        [copy, copied],
      ] as const) {
        expect((await contentOf(app.api, task)).texts).toEqual(before.texts);
      }
    }),
    // A failure must be told, with its seed, before Jest gives up on the test.
    { numRuns: 40, examples: EXAMPLES.map((dataSet) => [dataSet]), interruptAfterTimeLimit: 45_000 },
  );
});

/** Duplicates, and answers what the copy holds. */
async function expectLaws(source: string, original: TaskContent, target: string): Promise<TaskContent> {
  const first = await app.api.duplicate(source, target);
  expect(first.status).toBe(200);
  const copy = await contentOf(app.api, target);
  const relations = await relationsOf(target);
  expectSource(copy, original, relations);
  expectNothingOf(original, copy, await rowsOf(target));
  expectAnswer(first.body, copy);
  expectRelations(relations, original, copy);

  const replayed = await app.api.duplicate(source, target);
  expect(replayed.headers.get('Idempotency-Replayed')).toBe('true');
  expect(replayed.text).toBe(first.text);
  return copy;
}

/** Written out member by member, in their order: what differs in the order only is not the same. */
const lines = (list: readonly unknown[]) => list.map((value) => JSON.stringify(value));

/** The source has what the service does not know of the file: what both tasks had lost, no other law would miss. */
function expectKept(dataSet: CocoDataSet, source: TaskContent): void {
  const images = [...dataSet.images].sort((a, b) => Number(a['order_id']) - Number(b['order_id']) || 0);
  const kept = (list: readonly object[], known: readonly string[]) =>
    lines(
      list.map((element) =>
        Object.fromEntries(Object.entries(element).filter(([name]) => !known.includes(name))),
      ),
    );
  expect(kept(source.exported.images, KNOWN_MEMBERS.images)).toEqual(kept(images, KNOWN_MEMBERS.images));
  expect(kept(source.exported.categories, KNOWN_MEMBERS.categories)).toEqual(
    kept(dataSet.categories, KNOWN_MEMBERS.categories),
  );
  expect(source.annotations.map((list) => kept(list, KNOWN_MEMBERS.annotations))).toEqual(
    images.map(({ id }) =>
      kept(
        dataSet.annotations.filter(({ image_id }) => image_id === id),
        KNOWN_MEMBERS.annotations,
      ),
    ),
  );
}

/** The copy with the ids of the source in it is the source, but for the gaps of `order_id`. */
function expectSource(copy: TaskContent, source: TaskContent, relations: Relations): void {
  const back = inverse(relations);
  expect(copy.task).toMatchObject({
    task_name: source.task['task_name'],
    task_type: source.task['task_type'],
    image_count: source.images.length,
  });
  expect(
    lines(
      copy.images.map((image) => ({
        ...image,
        img_id: back.image(image.img_id),
        mongo_id: image.mongo_id && back.document(image.mongo_id),
        img_roi_id: image.img_roi_id && back.roi(image.img_roi_id),
      })),
    ),
  ).toEqual(lines(closed(source.images)));
  expect(lines(copy.classes.map((labelClass) => ({ ...labelClass, id: back.class(labelClass.id) })))).toEqual(
    lines(closed(source.classes)),
  );
  expect(
    copy.annotations.map((list) =>
      lines(list.map((annotation) => ({ ...annotation, lab_class_id: back.class(annotation.lab_class_id) }))),
    ),
  ).toEqual(source.annotations.map(lines));

  const { images, categories, annotations, ...head } = copy.exported;
  const {
    images: sourceImages,
    categories: sourceCategories,
    annotations: _,
    ...sourceHead
  } = source.exported;
  expect(JSON.stringify(head)).toBe(JSON.stringify(sourceHead));
  expect(lines(images.map((image) => ({ ...image, img_id: back.image(image['img_id'] as string) })))).toEqual(
    lines(closed(sourceImages)),
  );
  expect(
    lines(categories.map((category) => ({ ...category, id: back.class(category['id'] as number) }))),
  ).toEqual(lines(sourceCategories));
  expect(
    lines(
      annotations.map((annotation) => ({
        ...annotation,
        category_id: back.class(annotation['category_id'] as number),
      })),
    ),
  ).toEqual(lines(source.exported.annotations));
}

/** All ids of the copy are new, and nothing in it refers to the source. */
function expectNothingOf(source: TaskContent, copy: TaskContent, rows: string): void {
  const { texts } = copy;
  for (const id of idsOf(source)) {
    expect(texts.filter((text) => text.includes(id))).toEqual([]);
    expect(rows).not.toContain(id);
  }
  const classes = copy.classes.map(({ id }) => id);
  expect(new Set([...classes, ...source.classes.map(({ id }) => id)]).size).toBe(2 * classes.length);
  for (const { lab_class_id } of copy.annotations.flat()) expect(classes).toContain(lab_class_id);
}

/** The answer of the duplication says what the lists say. */
function expectAnswer(answer: Record<string, unknown>, copy: TaskContent): void {
  expect(JSON.stringify(answer)).toBe(
    JSON.stringify({
      code: 0,
      msg: '复制任务成功',
      task_type: copy.task['task_type'],
      image_list: copy.images.map(({ img_roi_id: _, roi: __, ...image }) => image),
      lab_class_list: copy.classes,
    }),
  );
}

/** The maps name everything that there is on both sides once, in the order of the images, and nothing else. */
function expectRelations(relations: Relations, source: TaskContent, copy: TaskContent): void {
  expect(Object.entries(relations.old_new_img_info_map)).toEqual(
    source.images.map((image, at) => {
      const copied = copy.images[at]!; // as many, by the law before
      const info = {
        img_id_new: copied.img_id,
        img_roi_id_old: image.img_roi_id,
        img_roi_id_new: copied.img_roi_id,
        labeled_img_id_old: image.mongo_id,
        labeled_img_id_new: copied.mongo_id,
      };
      return [image.img_id, info];
    }),
  );
  expect(relations.old_new_lab_class_map).toEqual(
    Object.fromEntries(
      source.classes.map(({ id }, at) => [id, { lab_class_id_new: copy.classes[at]!.id }]), // as many
    ),
  );
  const withRoi = source.images.filter(({ img_roi_id }) => img_roi_id !== null);
  expect(Object.entries(relations.roi_id_old_img_id_old)).toEqual(
    withRoi.map(({ img_roi_id, img_id }) => [img_roi_id, img_id]),
  );
}

/** `order_id` from 1 without gaps, in the order that there is. */
function closed<T extends Record<string, unknown>>(list: readonly T[]): T[] {
  return list.map((row, at) => ({ ...row, order_id: at + 1 }));
}

function idsOf({ images }: TaskContent): string[] {
  return images
    .flatMap(({ img_id, img_roi_id, mongo_id }) => [img_id, img_roi_id, mongo_id])
    .filter((id) => id !== null);
}

async function relationsOf(target: string): Promise<Relations> {
  const { body } = await app.api.get(`/training/tasks/${target}/duplication/maps`);
  return body as unknown as Relations; // checked against both tasks by the laws
}

/** Old ids by new ones; an id that the maps do not know is a failure. */
function inverse({ old_new_img_info_map: images, old_new_lab_class_map: classes }: Relations) {
  const infos = Object.entries(images);
  const backBy = <New, Old>(pairs: readonly (readonly [New, Old])[]) => {
    const map = new Map(pairs);
    return (id: New): Old => {
      const old = map.get(id);
      if (old === undefined) throw new Error(`the maps do not know ${String(id)}`);
      return old;
    };
  };
  return {
    image: backBy(infos.map(([old, info]) => [info.img_id_new, old])),
    roi: backBy(infos.map(([, info]) => [info.img_roi_id_new, info.img_roi_id_old])),
    document: backBy(infos.map(([, info]) => [info.labeled_img_id_new, info.labeled_img_id_old])),
    class: backBy(Object.entries(classes).map(([old, info]) => [info.lab_class_id_new, Number(old)])),
  };
}

/** What the tables hold of a task, without the pointers that the maps are read from. */
async function rowsOf(task: string): Promise<string> {
  const tables = ['task', 'label_class', 'image', 'roi_image', 'labeled_image'];
  const rows = tables.map(
    (table) => `SELECT (to_jsonb(${table}) - 'copied_from_id')::text AS row FROM ${table} WHERE task_id = $1`,
  );
  const found = await app.dataSource.query<{ row: string }[]>(rows.join(' UNION ALL '), [task]);
  return found.map(({ row }) => row).join('\n');
}
