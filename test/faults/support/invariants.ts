import { eventually } from '../../support/eventually';
import type { Databases, StoredDocument } from './databases';

interface ImageRow {
  readonly taskId: string;
  readonly id: string;
  readonly mongoId: string | null;
  readonly roiId: string | null;
  readonly face: Record<string, unknown>;
}

interface ClassRow {
  readonly taskId: string;
  readonly id: number;
  readonly name: string;
  readonly color: string;
}

/** A task without ids: what must be the same in its copy. */
export interface TaskFace {
  readonly images: readonly object[];
  readonly classes: readonly object[];
}

/** Everything that the databases hold at one moment. */
class Holdings {
  private constructor(
    private readonly images: readonly ImageRow[],
    private readonly classes: readonly ClassRow[],
    private readonly documents: ReadonlyMap<string, StoredDocument>,
  ) {}

  static async of(databases: Databases): Promise<Holdings> {
    const images = await databases.query<ImageRow>(
      `SELECT
         image.task_id AS "taskId", image.id, mongo_id AS "mongoId", roi.id AS "roiId",
         json_build_object(
           'name', name, 'set_type', set_type, 'size', ARRAY[image.width, image.height], 'state', state,
           'place', row_number() OVER (PARTITION BY image.task_id ORDER BY order_id), 'extra', extra,
           'roi', ARRAY[x, y, roi.width, roi.height]
         ) AS face
       FROM image
       LEFT JOIN roi_image AS roi ON roi.task_id = image.task_id AND roi.image_id = image.id
       ORDER BY image.task_id, order_id`,
    );
    const classes = await databases.query<ClassRow>(
      `SELECT task_id AS "taskId", id, name, color FROM label_class ORDER BY task_id, order_id`,
    );
    const documents = new Map((await databases.documents()).map((document) => [document.id, document]));
    return new Holdings(images, classes, documents);
  }

  /** Every pointer leads to a document of its own image, and no reference leaves the task. */
  faults(): string[] {
    return this.images.flatMap((image) => {
      if (image.mongoId === null) return [];
      const document = this.documents.get(image.mongoId);
      if (!document) return [`image ${image.id}: document ${image.mongoId} is gone`];
      const known = this.classesOf(image.taskId).map(({ id }) => id);
      const isWhole =
        document.taskId === image.taskId &&
        document.imageId === image.id &&
        document.roiId === image.roiId &&
        document.annotations.every(({ lab_class_id }) => known.includes(Number(lab_class_id)));
      return isWhole ? [] : [`image ${image.id}: ${JSON.stringify(document)}`];
    });
  }

  unreferenced(): string[] {
    const referenced = new Set(this.images.map(({ mongoId }) => mongoId));
    return [...this.documents.keys()].filter((id) => !referenced.has(id));
  }

  faceOf(task: string): TaskFace {
    const classes = this.classesOf(task);
    const images = this.images.filter(({ taskId }) => taskId === task);
    return {
      images: images.map(({ face, mongoId }) => ({
        ...face,
        annotations: mongoId && this.documents.get(mongoId)?.annotations.map((one) => named(one, classes)),
      })),
      classes: classes.map(({ name, color }) => ({ name, color })),
    };
  }

  private classesOf(task: string): ClassRow[] {
    return this.classes.filter(({ taskId }) => taskId === task);
  }
}

/** With the class's place in the task instead of its id. */
function named(annotation: Record<string, unknown>, classes: readonly ClassRow[]): object {
  const place = classes.findIndex(({ id }) => id === Number(annotation['lab_class_id']));
  return { ...annotation, lab_class_id: place };
}

export async function faceOf(databases: Databases, task: string): Promise<TaskFace> {
  return (await Holdings.of(databases)).faceOf(task);
}

/** What holds at any moment, whatever has happened: a reader sees nothing or all. */
export async function expectWhole(databases: Databases): Promise<void> {
  expect((await Holdings.of(databases)).faults()).toEqual([]);
}

/** The target is there as a whole, or not at all. */
export async function expectNothingOrAll(
  databases: Databases,
  target: string,
  whole: TaskFace,
): Promise<void> {
  await expectWhole(databases);
  const face = await faceOf(databases, target);
  const isEmpty = face.images.length === 0 && face.classes.length === 0;
  if (!isEmpty) expect(face).toEqual(whole);
  const [{ exists } = { exists: false }] = await databases.query<{ exists: boolean }>(
    `SELECT EXISTS (SELECT FROM task WHERE task_id = $1) AS exists`,
    [target],
  );
  expect({ exists }).toEqual({ exists: !isEmpty });
}

/** After a sweep: nothing is left that nobody points to, and no lock or transaction of anybody. */
export async function expectSwept(databases: Databases, sweep: () => Promise<unknown>): Promise<void> {
  await eventually('every unreferenced document is swept', async () => {
    // A failed write is swept again after a minute; here, at once.
    await databases.query(
      `UPDATE document_garbage SET sweep_at = clock_timestamp() WHERE failed_at IS NOT NULL`,
    );
    await sweep();
    return (await Holdings.of(databases)).unreferenced().length === 0;
  });
  await expectWhole(databases);
  await expectNothingHeld(databases);
}

export async function expectNothingHeld(databases: Databases): Promise<void> {
  await eventually('no lock and no transaction is left', async () => {
    const held = await databases.query(
      `SELECT pid
       FROM pg_locks
       WHERE locktype = 'advisory'
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
       UNION ALL
       SELECT pid
       FROM pg_stat_activity
       WHERE datname = current_database()
         AND state LIKE 'idle in transaction%'`,
    );
    return held.length === 0;
  });
}
