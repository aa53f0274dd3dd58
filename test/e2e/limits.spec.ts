import { setTimeout as sleep } from 'node:timers/promises';
import { CopyPlanner } from '../../src/tasks/duplication/copy-planner';
import { newTaskId } from '../support/api';
import { aDataSet } from '../support/data-set';
import { whileCopied } from '../support/held-copy';
import { contentOf } from '../support/task-content';
import { TestApp } from '../support/test-app';

let app: TestApp;
let source: string;

beforeAll(async () => {
  app = await TestApp.start({ MAX_COPIES: '2', SWEEP_INTERVAL_S: '0' });
});
beforeEach(async () => {
  source = newTaskId();
  await app.api.importCoco(source, aDataSet());
});
afterAll(() => app.stop());

async function sessions(): Promise<number> {
  const [row] = await app.dataSource.query<{ count: number }[]>(
    `SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle'`,
  );
  return row!.count;
}

it('beyond MAX_COPIES a duplication waits, and is turned away after 10 s', async () => {
  await whileCopied(app, source, async () => {
    await whileCopied(app, source, async () => {
      const startedAt = performance.now();
      const refused = await app.api.duplicate(source, newTaskId());
      expect(performance.now() - startedAt).toBeGreaterThan(9_990);
      expect(refused.status).toBe(503);
      expect(refused.body['code']).toBe(50303);
      expect(refused.headers.get('Retry-After')).toBe('5');
    });
    // One of two places is free.
    expect((await app.api.duplicate(source, newTaskId())).status).toBe(200);
  });
});

it('who waits for a place or for a task holds no connection, and readers are served', async () => {
  const waiting: Promise<unknown>[] = [];
  const { target } = await whileCopied(app, source, async () => {
    await whileCopied(app, source, async () => {
      for (let at = 0; at < 40; at++) waiting.push(app.api.duplicate(source, newTaskId()));
      // Long enough that each has tried several times.
      await sleep(500);
      const startedAt = performance.now();
      const reads = await Promise.all(
        Array.from({ length: 30 }, () => app.api.get(`/training/tasks/${source}/images`)),
      );
      expect(reads.map(({ status }) => status)).toEqual(reads.map(() => 200));
      expect(performance.now() - startedAt).toBeLessThan(5_000);
      expect(await sessions()).toBeLessThan(12);
    });
  });
  await Promise.all(waiting);
  expect((await contentOf(app.api, target)).images).toHaveLength(3);
});

it('a source that has grown past the locks since it was counted is planned again', async () => {
  const planner = app.app.get(CopyPlanner);
  const plan = planner.plan.bind(planner);
  const planned = jest.spyOn(planner, 'plan').mockImplementationOnce(async (...args) => {
    const result = await plan(...args);
    await app.dataSource.query(
      `INSERT INTO image (task_id, id, set_type, name, width, height, order_id)
       VALUES ($1, 3018102439652800001, 0, 'late.jpg', 1, 1, 100)`,
      [source],
    );
    return result;
  });
  const { status, body } = await app.api.duplicate(source, newTaskId());
  expect(planned).toHaveBeenCalledTimes(2);
  planned.mockRestore();
  expect(status).toBe(200);
  expect(body['image_list']).toHaveLength(4);
});
