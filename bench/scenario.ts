import type { Figure } from './figure';
import type { Installation } from './installation';
import type { Mode } from './mode';
import type { Rig } from './rig';

/** What a scenario is run with. */
export interface Stage {
  readonly rig: Rig;
  readonly mode: Mode;
  /** Of that mode. */
  readonly installation: Installation;
  /** Images of the task to measure with; of a scenario that runs once, those of the largest one, or its `sizeMax`. */
  readonly size: number;
  /** Of everything that has a median. */
  readonly runs: number;
  /** What is done now, for who watches. */
  readonly say: (what: string) => void;
}

/** One kind of measurement. It leaves the databases as it found them, apart from sources. */
export interface Scenario {
  readonly name: string;
  /** A line for --help and for the page. */
  readonly about: string;
  /** `each`: for every size; `once`: for every mode. */
  readonly runs: 'each' | 'once';
  /** Of a scenario that runs once: a larger task tells no more. */
  readonly sizeMax?: number;
  /** A median where others measure a large task once: what is measured takes seconds. */
  readonly isRepeatedAtEverySize?: boolean;
  /** The sizes that --quick measures. */
  readonly quick?: readonly number[];
  readonly measure: (stage: Stage) => Promise<Figure[]>;
  /** What follows from the figures of all sizes of one mode; not recorded, but computed anew from what is shown. */
  readonly derive?: (figures: readonly Figure[]) => Figure[];
}
