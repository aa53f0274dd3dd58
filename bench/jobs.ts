import type { Mode } from './mode';
import type { Scenario } from './scenario';
import { SCENARIOS } from './scenarios';

/** What was asked for on the command line. */
export interface Order {
  readonly size: readonly number[];
  readonly mode: readonly Mode[];
  /** Names of scenarios. */
  readonly only: readonly string[];
  readonly runs: number | undefined;
  readonly isQuick: boolean;
}

/** One scenario with one task. */
export interface Job {
  readonly scenario: Scenario;
  readonly mode: Mode;
  readonly size: number;
  readonly runs: number;
}

const RUNS = 3;
const ONCE_FROM = 1_000_000;

/** The large tasks last: where they lie in the tables already, small ones would be measured in large tables. */
export function jobs({ size, mode: modes, only, runs, isQuick }: Order): Job[] {
  const scenarios = SCENARIOS.filter(({ name }) => only.includes(name));
  const sizesOf = ({ runs: times, sizeMax = Infinity, quick = [] }: Scenario): readonly number[] => {
    if (isQuick) return quick;
    return times === 'each' ? size : [Math.min(Math.max(...size), sizeMax)];
  };
  const cells = scenarios.flatMap((scenario) =>
    sizesOf(scenario).map((images) => ({ scenario, size: images })),
  );
  cells.sort((one, other) => one.size - other.size);
  return modes.flatMap((mode) =>
    cells.map((cell) => ({ ...cell, mode, runs: runs ?? runsOf(cell.scenario, cell.size) })),
  );
}

function runsOf({ isRepeatedAtEverySize }: Scenario, size: number): number {
  return isRepeatedAtEverySize || size < ONCE_FROM ? RUNS : 1;
}
