import type { Mode } from './mode';

/** What one scenario measured: one line of the table, the page and the history. */
export interface Figure {
  readonly scenario: string;
  /** Names the figure within its scenario; the history is searched by it, so it stays as it is. */
  readonly what: string;
  readonly mode: Mode;
  /** Images; of a figure that has no size of its own, that of the task it was measured with. */
  readonly size: number;
  readonly unit: Unit;
  /** One of each run; the figure is their median. */
  readonly values: readonly number[];
  readonly goal?: Goal;
}

/** `x` is a ratio of two sides that were measured in the same run. */
export type Unit = 's' | 'ms' | 'µs' | 'MB' | 'MB/s' | 'x' | '/s' | 'count';

export type Goal = { readonly atMost: number } | { readonly atLeast: number };

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length / 2;
  const [below, above] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  if (below === undefined || above === undefined) throw new Error('a figure without a value');
  return (below + above) / 2;
}

/** @returns undefined where the figure has no goal */
export function isMet({ goal, values }: Figure): boolean | undefined {
  if (goal === undefined) return undefined;
  return 'atMost' in goal ? median(values) <= goal.atMost : median(values) >= goal.atLeast;
}
