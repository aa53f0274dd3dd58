export type When = 'before' | 'after';

export interface Fault {
  readonly when: When;
  /** Does the harm; `cut` breaks the connection that the step came by. */
  strike(cut: () => void): void;
}

/** Numbers what a service asks of its databases from 1 on, over all its connections, and strikes at one number. */
export class Steps {
  private taken: string[] = [];
  private at: number | undefined;
  private fault: Fault | undefined;

  /** What was asked since the last reset(), in its order. */
  get log(): readonly string[] {
    return this.taken;
  }

  get hasStruck(): boolean {
    return this.at !== undefined && this.taken.length >= this.at;
  }

  reset(): void {
    this.taken = [];
    this.at = undefined;
    this.fault = undefined;
  }

  strikeAt(step: number, fault: Fault): void {
    this.reset();
    this.at = step;
    this.fault = fault;
  }

  take(step: string): Fault | undefined {
    this.taken.push(step);
    return this.taken.length === this.at ? this.fault : undefined;
  }
}
