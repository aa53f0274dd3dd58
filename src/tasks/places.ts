/** So many may do something at once. Who has waited longest is the next. */
export class Places {
  private readonly waiting: ((hasPlace: boolean) => void)[] = [];

  constructor(private free: number) {}

  /** @returns whether one came free in time; then `leave` gives it back */
  take(waitMs: number): Promise<boolean> {
    if (this.free > 0) {
      this.free--;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const settle = (hasPlace: boolean): void => {
        clearTimeout(timer);
        resolve(hasPlace);
      };
      const timer = setTimeout(() => {
        this.waiting.splice(this.waiting.indexOf(settle), 1);
        settle(false);
      }, waitMs);
      this.waiting.push(settle);
    });
  }

  leave(): void {
    const next = this.waiting.shift();
    if (next) next(true);
    else this.free++;
  }
}
