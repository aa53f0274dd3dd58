/** The statements of one connection, or the writes of one file: one at a time, and while it runs the next is being made. */
export class OneInFlight {
  private running: Promise<unknown> = Promise.resolve();
  private startedAt = performance.now();

  /** Resolves when the statement before has ended and this one has begun; a fault of this one shows at the next. */
  async start(statement: () => Promise<unknown>): Promise<void> {
    const before = this.running;
    this.run(statement).catch(() => undefined); // seen by whoever waits for it next
    await before;
  }

  /** Resolves to what the statement answers, once those before have ended. @throws what one of them threw */
  run<T>(statement: () => Promise<T>): Promise<T> {
    const answer = this.running.then(() => {
      this.startedAt = performance.now();
      return statement();
    });
    this.running = answer;
    return answer;
  }

  /** @throws what the last statement threw */
  async ended(): Promise<void> {
    await this.running;
  }

  /** How long ago the last statement began. */
  get silentMs(): number {
    return performance.now() - this.startedAt;
  }
}
