export type When = 'before' | 'after';

export interface Fault {
  /** It takes effect. */
  readonly when: When;
  /**
   * Does the harm; `cut` breaks the connection that the step came by. Where it is not cut, the step (or its answer) is held
   * up until `goOn`.
   */
  strike(cut: () => void, goOn: () => void): void;
}

/** Numbers what a service asks of its databases from 1 on, over all its connections, and strikes at one of them. */
export class Steps {
  private taken: string[] = [];
  private isTheOne: ((step: string) => boolean) | undefined;
  private fault: Fault | undefined;
  private struck = false;

  /** What was asked since the last reset(), in its order. */
  get log(): readonly string[] {
    return this.taken;
  }

  get hasStruck(): boolean {
    return this.struck;
  }

  reset(): void {
    this.taken = [];
    this.isTheOne = undefined;
    this.fault = undefined;
    this.struck = false;
  }

  strikeAt(step: number, fault: Fault): void {
    this.reset();
    this.isTheOne = () => this.taken.length === step;
    this.fault = fault;
  }

  /** At the first one that reads like this. */
  strikeOn(step: RegExp, fault: Fault): void {
    this.reset();
    this.isTheOne = (taken) => step.test(taken);
    this.fault = fault;
  }

  take(step: string): Fault | undefined {
    this.taken.push(step);
    if (this.struck || this.isTheOne?.(step) !== true) return undefined;
    this.struck = true;
    return this.fault;
  }
}
