import { request } from 'node:http';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { IncomingMessage } from 'node:http';
import { LabeledImageRepository } from '../../src/labeled-images/labeled-image.repository';
import { Sweeper, type SweepReport } from '../../src/tasks/sweeper';
import { newTaskId } from '../support/api';
import { aDataSet } from '../support/data-set';
import { describeInEachMode } from '../support/document-mode';
import { garbageOf } from '../support/garbage';
import { whileCopied } from '../support/held-copy';
import { contentOf } from '../support/task-content';
import { TestApp } from '../support/test-app';

const IMAGES = 5;

describeInEachMode('the sweeper', (mode) => {
  let app: TestApp;
  let source: string;

  beforeAll(async () => {
    app = await TestApp.start({ SWEEP_INTERVAL_S: '0', SWEEP_KEEP_S: '0' }, { documents: mode });
  });
  beforeEach(async () => {
    source = newTaskId();
    await app.api.importCoco(source, aDataSet({ images: IMAGES }));
  });
  afterAll(() => app.stop());

  function sweep(): Promise<SweepReport> {
    return app.app.get(Sweeper).sweep();
  }

  async function pointers(task: string): Promise<string[]> {
    const { images } = await contentOf(app.api, task);
    return images.flatMap(({ mongo_id }) => mongo_id ?? []);
  }

  async function countThere(ids: readonly string[]): Promise<number> {
    const repository = app.app.get(LabeledImageRepository);
    const found = await Promise.all(ids.map((id) => repository.find(app.dataSource.manager, source, id)));
    return found.filter((annotations) => annotations !== null).length;
  }

  async function editAll(task: string): Promise<void> {
    for (const { img_id } of (await contentOf(app.api, task)).images) {
      const { status } = await app.api.send('PUT', `/training/tasks/${task}/images/${img_id}/annotations`, {
        body: '{"annotations":[]}',
        headers: { 'Content-Type': 'application/json' },
      });
      expect(status).toBe(200);
    }
  }

  function bboxesOf({ exported }: Awaited<ReturnType<typeof contentOf>>): unknown[] {
    return exported.annotations.map(({ bbox }) => bbox);
  }

  it('removes replaced documents and those of deleted tasks, and no others', async () => {
    const [replaced, other] = [await pointers(source), newTaskId()];
    await app.api.importCoco(other, aDataSet());
    await editAll(source);
    const current = await pointers(source);
    await sweep();
    expect(await countThere(replaced)).toBe(0);
    expect(await countThere(current)).toBe(IMAGES);

    expect((await app.api.send('DELETE', `/training/tasks/${source}`)).status).toBe(200);
    await sweep();
    expect(await countThere(current)).toBe(0);
    expect(await garbageOf(app, source)).toEqual([]);
    expect((await contentOf(app.api, other)).exported.annotations).toHaveLength(6);
  });

  it('leaves what a copy reads in an older snapshot: its source may be edited', async () => {
    const before = await contentOf(app.api, source);
    const { target, answer } = await whileCopied(app, source, async () => {
      await editAll(source);
      expect(await sweep()).toMatchObject({ dead: 0, documents: 0 });
    });
    expect(answer.status).toBe(200);
    expect(bboxesOf(await contentOf(app.api, target))).toEqual(bboxesOf(before));
    const replaced = await pointers(source);
    expect(await sweep()).toMatchObject({ documents: mode === 'mongodb' ? IMAGES : 0 });
    expect(await countThere(replaced)).toBe(IMAGES);
    expect(await garbageOf(app, source)).toEqual([]);
  });

  it('leaves what a copy reads in an older snapshot: its source may be deleted', async () => {
    const before = await contentOf(app.api, source);
    const { target, answer } = await whileCopied(app, source, async () => {
      expect((await app.api.send('DELETE', `/training/tasks/${source}`)).status).toBe(200);
      expect(await sweep()).toMatchObject({ dead: 0, documents: 0 });
    });
    expect(answer.status).toBe(200);
    expect(bboxesOf(await contentOf(app.api, target))).toEqual(bboxesOf(before));
    expect(await sweep()).toMatchObject({ documents: mode === 'mongodb' ? IMAGES : 0 });
  });

  it('leaves what a slow reader of an export has yet to read', async () => {
    const large = newTaskId();
    const dataSet = aDataSet({ images: 3_000 });
    // Where those of an image stand apart, the import leaves a range of its own to be swept.
    dataSet.annotations.sort((a, b) => Number(a['image_id']) - Number(b['image_id']));
    for (const annotation of dataSet.annotations) annotation['note'] = 'x'.repeat(2_000);
    await app.api.importCoco(large, dataSet);
    const exporting = request(`${app.url}/training/tasks/${large}/coco`).end();
    // Not read yet: the service waits with the rest.
    const [response] = (await once(exporting, 'response')) as [IncomingMessage];
    await app.api.send('DELETE', `/training/tasks/${large}`);
    expect(await sweep()).toMatchObject({ documents: 0 });
    const exported = JSON.parse(await text(response)) as { annotations: unknown[] };
    expect(exported.annotations).toHaveLength(6_000);
    expect(await sweep()).toMatchObject({ documents: mode === 'mongodb' ? 3_000 : 0 });
  });

  it('does not give up a write that runs, and gives up one whose process has died', async () => {
    const { target, answer } = await whileCopied(app, source, async () => {
      expect(await sweep()).toMatchObject({ dead: 0 });
    });
    expect(answer.status).toBe(200);

    const dead = newTaskId();
    await plantDeadCopy(dead, await pointers(target));
    expect(await sweep()).toMatchObject({ dead: 1 });
    expect((await app.api.get(`/training/tasks/${dead}/duplication`)).body).toMatchObject({
      state: 'failed',
    });
  });

  it('watches the range of a failed write for a week, at growing intervals', async () => {
    const dead = newTaskId();
    await plantDeadCopy(dead, await pointers(source));
    await sweep();
    expect(await waits(dead)).toEqual([{ waited: 0, next: 60 }]);
    await failedBefore(dead, '1 hour');
    await sweep();
    // Nothing can come late where documents are written in the transaction of the rows.
    expect(await waits(dead)).toEqual(mode === 'mongodb' ? [{ waited: 3_600, next: 3_600 }] : []);
    await failedBefore(dead, '8 days');
    await sweep();
    expect(await waits(dead)).toEqual([]);
  });

  it('keeps replaced and deleted documents for SWEEP_KEEP_S', async () => {
    const keeping = await TestApp.start({ SWEEP_INTERVAL_S: '0', SWEEP_KEEP_S: '3600' }, { documents: mode });
    try {
      await keeping.api.importCoco(source, aDataSet());
      await keeping.api.send('DELETE', `/training/tasks/${source}`);
      const report = () => keeping.app.get(Sweeper).sweep();
      expect(await report()).toEqual({ dead: 0, ranges: 0, documents: 0 });
      await keeping.dataSource.query(`UPDATE document_garbage SET made_at = made_at - interval '2 hours'`);
      expect(await report()).toMatchObject({ ranges: 1, documents: mode === 'mongodb' ? 3 : 0 });
    } finally {
      await keeping.stop();
    }
  });

  /** As a process leaves it that dies while it copies: nobody holds the lock, and the rows say that it runs. */
  async function plantDeadCopy(target: string, [document]: readonly string[]): Promise<void> {
    await app.dataSource.query(
      `INSERT INTO task_duplication (
         task_id, attempt_id, source_task_id, state, started_at, image_count, roi_count, label_class_count, document_count
       ) VALUES ($1, gen_random_uuid(), $2, 'running', now(), 1, 0, 0, 1)`,
      [target, source],
    );
    await app.dataSource.query(
      `INSERT INTO document_garbage (task_id, first_id, last_id, reason, made_by)
       VALUES ($1, $2, $2, 'copy', pg_current_xact_id()::text::bigint)`,
      [target, document],
    );
  }

  /** Seconds that a failed write has waited, and how long until the next sweep. */
  function waits(task: string): Promise<{ waited: number; next: number }[]> {
    return app.dataSource.query(
      `SELECT
         round(extract(epoch FROM clock_timestamp() - failed_at) / 10)::int * 10 AS waited,
         round(extract(epoch FROM sweep_at - clock_timestamp()) / 10)::int * 10 AS next
       FROM document_garbage
       WHERE task_id = $1`,
      [task],
    );
  }

  async function failedBefore(task: string, interval: string): Promise<void> {
    await app.dataSource.query(
      `UPDATE document_garbage
       SET failed_at = clock_timestamp() - $2::interval, sweep_at = clock_timestamp()
       WHERE task_id = $1`,
      [task, interval],
    );
  }
});
