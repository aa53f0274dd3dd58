import { setTimeout as sleep } from 'node:timers/promises';
import type { QueryRunner } from 'typeorm';

/** Far below the 15 s after which the server ends a transaction that says nothing. */
const BEAT_MS = 3_000;
/** Older than this, the last answer says nothing any more: this process may have been stopped meanwhile. */
const STALE_MS = 5_000;
const ANSWER_MS_MAX = 10_000;

/**
 * Speaks on the connection of a transaction while its documents are written elsewhere, so that the server can end the
 * transaction of a node that is stopped or cut off soon, and the node finds out before it writes more.
 */
export class Heartbeat {
  private answeredAt = performance.now();
  private isOver = false;
  private beating: Promise<void> | undefined;

  private constructor(private readonly connection: QueryRunner) {}

  static async during<T>(connection: QueryRunner, work: (heartbeat: Heartbeat) => Promise<T>): Promise<T> {
    const heartbeat = new Heartbeat(connection);
    // A beat that fails is told by the next check(), or by the statement after the work.
    const timer = setInterval(() => void heartbeat.beat().catch(() => undefined), BEAT_MS);
    try {
      return await work(heartbeat);
    } finally {
      clearInterval(timer);
    }
  }

  /** Before documents are sent. @throws what the connection was lost by: then nothing may be sent any more */
  async check(): Promise<void> {
    if (this.isOver || performance.now() - this.answeredAt > STALE_MS) await this.beat();
  }

  private beat(): Promise<void> {
    this.beating ??= this.ask().finally(() => (this.beating = undefined));
    return this.beating;
  }

  private async ask(): Promise<void> {
    try {
      await Promise.race([this.connection.query('SELECT'), silence()]);
      this.answeredAt = performance.now();
    } catch (error) {
      this.isOver = true;
      throw error;
    }
  }
}

async function silence(): Promise<never> {
  await sleep(ANSWER_MS_MAX, undefined, { ref: false });
  throw Object.assign(new Error('PostgreSQL does not answer'), { code: 'ETIMEDOUT' });
}
