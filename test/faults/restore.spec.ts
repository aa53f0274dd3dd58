import { Client } from 'pg';
import { loadEnvironment } from '../../src/config/environment';
import { Service } from '../../src/service';
import { Sweeper } from '../../src/tasks/sweeper';
import { HeldWrites } from '../process/support/database';
import { Api, newTaskId } from '../support/api';
import { describeInEachMode, type DocumentMode } from '../support/document-mode';
import { aTaskWithEverything } from './support/any-source';
import {
  dumpMongo,
  dumpPostgres,
  followRestoreSteps,
  restoreMongo,
  restorePostgres,
  type MongoDump,
  type PostgresDump,
} from './support/backup';
import { addressesOf, Databases } from './support/databases';
import { expectSwept, expectWhole, faceOf, type TaskFace } from './support/invariants';

/** Both backups, and what was there when the first was taken. */
interface Backup {
  readonly postgres: PostgresDump;
  readonly mongo: MongoDump | undefined;
  readonly faces: ReadonlyMap<string, TaskFace>;
  /** The numbers of all ids that were handed out until the second. */
  readonly numbers: ReadonlySet<string>;
}

describeInEachMode('both databases are lost and restored from their backups', (mode: DocumentMode) => {
  const [source, edited, deleted] = [newTaskId(), newTaskId(), newTaskId()];
  /** Its copy runs while PostgreSQL is dumped. */
  const running = newTaskId();
  const [copiedLater, importedLater] = [newTaskId(), newTaskId()];
  let backup: Backup;
  let databases: Databases;

  beforeAll(async () => {
    backup = await withNode(await Databases.create(mode), {}, takeBackup);
    await databases.drop();
  });
  afterEach(() => databases.drop());

  it('all is as it was when PostgreSQL was dumped, and what was lost can be done again', async () => {
    await restore();
    await followRestoreSteps(databases.databaseUrl, databases.mongodbUri);
    await withNode(databases, { SWEEP_KEEP_S: '0' }, async (api, sweep) => {
      await whileSomebodyReads(sweep);
      expect(await databases.query(`SELECT id FROM document_garbage WHERE ${IS_DUE}`)).toEqual([]);
      await expectSwept(databases, sweep);
      for (const [task, face] of backup.faces) expect(await faceOf(databases, task)).toEqual(face);
      for (const task of [running, copiedLater, importedLater])
        expect((await api.get(`/training/tasks/${task}`)).status).toBe(404);
      expect((await api.get(`/training/tasks/${running}/duplication`)).body['state']).toBe('failed');

      const known = await numbersIn(databases);
      for (const target of [running, copiedLater]) {
        expect((await api.duplicate(source, target)).status).toBe(200);
        expect(await faceOf(databases, target)).toEqual(backup.faces.get(source));
        const { body } = await api.get(`/training/tasks/${target}/duplication/verification`);
        expect(body).toMatchObject({ verified: true, source: 'same' });
      }
      await loadMore(api);
      const made = [...(await numbersIn(databases))].filter((number) => !known.has(number));
      expect(made.length).toBeGreaterThan(30);
      expect(made.filter((number) => backup.numbers.has(number))).toEqual([]);
      await expectSwept(databases, sweep);
    });
  });

  it('the steps after a restore are needed: without them numbers are handed out twice', async () => {
    await restore();
    await withNode(databases, { SWEEP_KEEP_S: '0' }, async (api) => {
      await expectWhole(databases);
      const { body } = await api.post('/training/tasks', { task_name: 'new' });
      expect(backup.numbers).toContain(numberOf(String(body['task_id'])));
      // In MongoDB the document of somebody else is in the way, and is not overwritten.
      const { status, body: answer } = await api.duplicate(source, newTaskId());
      expect([status, answer['code']]).toEqual(mode === 'mongodb' ? [503, 50305] : [200, 0]);
      await expectWhole(databases);
    });
  });

  async function withNode<T>(
    on: Databases,
    settings: Record<string, string>,
    work: (api: Api, sweep: () => Promise<unknown>) => Promise<T>,
  ): Promise<T> {
    databases = on;
    const environment = { PORT: '0', SWEEP_INTERVAL_S: '0', ...settings, ...addressesOf(on) };
    const node = await Service.start(loadEnvironment(environment), { quiet: true });
    try {
      return await work(new Api(node.url), () => node.app.get(Sweeper).sweep());
    } finally {
      await node.stop();
    }
  }

  async function takeBackup(api: Api, sweep: () => Promise<unknown>): Promise<Backup> {
    for (const task of [source, edited, deleted])
      expect((await api.importCoco(task, aTaskWithEverything())).status).toBe(200);
    await edit(api, edited);
    const held = await HeldWrites.in(databases.databaseUrl);
    const copying = api.duplicate(source, running);
    await held.arrived();
    const postgres = await dumpPostgres(databases.databaseUrl);
    const faces = new Map<string, TaskFace>();
    for (const task of [source, edited, deleted]) faces.set(task, await faceOf(databases, task));
    await held.release();
    expect((await copying).status).toBe(200);

    // All that is lost: edits, a deletion, a copy, an import; swept meanwhile, but kept for SWEEP_KEEP_S.
    for (const task of [source, edited]) await edit(api, task);
    expect((await api.delete(`/training/tasks/${deleted}`)).status).toBe(200);
    const before = await numbersIn(databases);
    expect((await api.duplicate(source, copiedLater)).status).toBe(200);
    expect((await api.importCoco(importedLater, aTaskWithEverything())).status).toBe(200);
    await sweep();
    const mongo = databases.mongodbUri === undefined ? undefined : await dumpMongo(databases.mongodbUri);
    return { postgres, mongo, faces, numbers: new Set([...before, ...(await numbersIn(databases))]) };
  }

  async function restore(): Promise<void> {
    databases = await Databases.create(mode);
    await restorePostgres(databases.databaseUrl, backup.postgres);
    if (backup.mongo) await restoreMongo(databases.mongodbUri!, backup.mongo);
    // Another server counts its transactions from elsewhere.
    await databases.query(`UPDATE document_garbage SET made_by = made_by + 1000000000`);
  }

  /** Beside a snapshot that was taken after the restore. */
  async function whileSomebodyReads(work: () => Promise<unknown>): Promise<void> {
    const reader = new Client({ connectionString: databases.databaseUrl });
    await reader.connect();
    try {
      await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM task');
      await work();
    } finally {
      await reader.end();
    }
  }

  async function loadMore(api: Api): Promise<void> {
    expect((await api.importCoco(importedLater, aTaskWithEverything())).status).toBe(200);
    await edit(api, importedLater);
    expect((await api.delete(`/training/tasks/${edited}`)).status).toBe(200);
  }
});

/** With SWEEP_KEEP_S=0. */
const IS_DUE = `sweep_at <= clock_timestamp() OR reason IN ('replaced', 'deleted')`;

/** Gives the first image other annotations. */
async function edit(api: Api, task: string): Promise<void> {
  const { body } = await api.get(`/training/tasks/${task}/images?limit=1`);
  const [{ img_id } = { img_id: '' }] = body['image_list'] as { img_id: string }[];
  const { body: classes } = await api.get(`/training/tasks/${task}/label-classes`);
  const [{ id } = { id: 0 }] = classes['lab_class_list'] as { id: number }[];
  const annotations = [{ lab_class_id: id, bbox: [1, 2, 3, 4] }];
  const { status } = await api.put(`/training/tasks/${task}/images/${img_id}/annotations`, { annotations });
  expect(status).toBe(200);
}

/** Of all images, ROIs and documents that are there now. */
async function numbersIn(databases: Databases): Promise<Set<string>> {
  const rows = await databases.query<{ id: string }>(
    'SELECT id FROM image UNION ALL SELECT id FROM roi_image',
  );
  const documents = await databases.documents();
  return new Set([...rows, ...documents].map(({ id }) => numberOf(id)));
}

/** The last eleven digits: on another day the rest would be another. */
function numberOf(id: string): string {
  return id.slice(-11);
}
