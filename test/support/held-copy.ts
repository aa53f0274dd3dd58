import { newTaskId, type Answer } from './api';
import { eventually } from './eventually';
import { inOtherSession } from './other-session';
import type { TestApp } from './test-app';

/** Runs `work` while a copy of the task has taken its snapshot and can't go on. @returns the copy's id and answer */
export async function whileCopied(
  app: TestApp,
  source: string,
  work: () => Promise<void>,
): Promise<{ target: string; answer: Answer }> {
  const target = newTaskId();
  const answer = await inOtherSession(app, async (session) => {
    // The copy waits to learn whether this row comes to be; with the session's end it does not.
    await session.query('BEGIN');
    await session.query(`INSERT INTO task (task_id, name) VALUES ($1, 'held')`, [target]);
    const copying = app.api.duplicate(source, target);
    await eventually('the copy waits', () => isSomebodyWaiting(app));
    await work();
    return { copying };
  });
  return { target, answer: await answer.copying };
}

/** Whether a session of the service waits for a row or a transaction of another one. */
export async function isSomebodyWaiting(app: TestApp): Promise<boolean> {
  const waiting = await app.dataSource.query<unknown[]>(
    `SELECT
     FROM pg_stat_activity
     WHERE datname = current_database()
       AND wait_event_type = 'Lock'`,
  );
  return waiting.length > 0;
}
