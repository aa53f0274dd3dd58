import { setTimeout as sleep } from 'node:timers/promises';
import { exchange } from './exchange';

/** What somebody who reads a small task notices while something else goes on. */
export interface Seen {
  readonly latenciesMs: readonly number[];
  readonly readyMs: readonly number[];
  readonly failures: readonly Error[];
}

const PAGE_EVERY_MS = 50;
const READY_EVERY_MS = 1_000;

/** Asks at fixed times, whether the last answer has come or not: a service that stands still is asked all the same. */
export class Bystander {
  private readonly latenciesMs: number[] = [];
  private readonly readyMs: number[] = [];
  private readonly failures: Error[] = [];
  private hasSeenEnough = false;

  private constructor(
    private readonly url: string,
    private readonly taskId: string,
  ) {}

  static async during(url: string, taskId: string, work: () => Promise<unknown>): Promise<Seen> {
    const bystander = new Bystander(url, taskId);
    const looking = Promise.all([bystander.readPages(), bystander.askReady()]);
    try {
      await work();
    } finally {
      bystander.hasSeenEnough = true;
      await looking;
    }
    const { latenciesMs, readyMs, failures } = bystander;
    return { latenciesMs, readyMs, failures };
  }

  private readPages(): Promise<void> {
    return this.every(PAGE_EVERY_MS, `/training/tasks/${this.taskId}/images?limit=100`, this.latenciesMs);
  }

  private askReady(): Promise<void> {
    return this.every(READY_EVERY_MS, '/health/ready', this.readyMs);
  }

  private async every(ms: number, path: string, latenciesMs: number[]): Promise<void> {
    const startedAt = performance.now();
    const asked: Promise<void>[] = [];
    for (let times = 0; !this.hasSeenEnough; times++) {
      const due = startedAt + times * ms;
      await sleep(Math.max(0, due - performance.now()));
      asked.push(this.ask(path, due, latenciesMs));
    }
    await Promise.all(asked);
  }

  /** From when it was due: who is late in asking waits as well. */
  private async ask(path: string, due: number, latenciesMs: number[]): Promise<void> {
    try {
      await exchange(this.url, { method: 'GET', path });
      latenciesMs.push(performance.now() - due);
    } catch (fault) {
      this.failures.push(fault as Error);
    }
  }
}
