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
  private blows = 0;

  /** What was asked since the last reset(), in its order. */
  get log(): readonly string[] {
    return this.taken;
  }

  get hasStruck(): boolean {
    return this.fault !== undefined && this.blows === 0;
  }

  reset(): void {
    this.taken = [];
    this.isTheOne = undefined;
    this.fault = undefined;
    this.blows = 0;
  }

  strikeAt(step: number, fault: Fault): void {
    this.arm(() => this.taken.length === step, fault, 1);
  }

  /** At the first ones that read like this. */
  strikeOn(step: RegExp, fault: Fault, blows = 1): void {
    this.arm((taken) => step.test(taken), fault, blows);
  }

  take(step: string): Fault | undefined {
    this.taken.push(step);
    if (this.blows === 0 || this.isTheOne?.(step) !== true) return undefined;
    this.blows--;
    return this.fault;
  }

  private arm(isTheOne: (step: string) => boolean, fault: Fault, blows: number): void {
    this.reset();
    this.isTheOne = isTheOne;
    this.fault = fault;
    this.blows = blows;
  }
}
