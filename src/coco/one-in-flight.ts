/** The statements of one connection: one at a time, and while it runs the next is being made. */
export class OneInFlight {
  private running: Promise<unknown> = Promise.resolve();
  private startedAt = performance.now();

  /** Resolves when the statement before has ended and this one has begun; a fault of this one shows at the next. */
  async start(statement: () => Promise<unknown>): Promise<void> {
    await this.running;
    this.startedAt = performance.now();
    this.running = statement();
    this.running.catch(() => undefined); // seen by whoever waits for it next
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
