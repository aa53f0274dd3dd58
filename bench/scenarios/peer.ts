import { median, type Figure, type Goal } from '../figure';
import { cloneByFiftyOne, type Clones } from '../fiftyone';
import type { Mode } from '../mode';
import type { Rig } from '../rig';
import type { Scenario, Stage } from '../scenario';

const MB = 2 ** 20;
/** Smaller ones are reported. */
const GOAL_FROM = 1_000_000;
const GOALS: Readonly<Record<Mode, Goal>> = { postgres: { atMost: 1 }, mongo: { atMost: 1.25 } };

/** The other modes are compared with the same clones: to write the samples alone takes minutes. */
const cloned = new WeakMap<Rig, Map<number, Promise<Clones>>>();

/**
 * FiftyOne copies as many samples with the same annotations, and hardly more: sample and label ids and the names of classes
 * stay, there are no rows, no map and nobody who may read meanwhile.
 */
export const peer: Scenario = {
  name: 'peer',
  about: "the copy against FiftyOne's dataset.clone(), where FIFTYONE_PYTHON names a Python that has it",
  runs: 'each',
  async measure(stage) {
    const python = process.env['FIFTYONE_PYTHON'];
    const { mongodUri } = stage.rig.servers;
    if (python === undefined || mongodUri === undefined) {
      console.error(
        `NOT MEASURED: peer. ${python === undefined ? 'FIFTYONE_PYTHON names no Python that has fiftyone.' : 'There is no mongod.'}`,
      );
      return [];
    }
    const product = await copies(stage);
    const clones = await clonesOf(stage, python, mongodUri);
    return figures(stage, product, clones);
  },
};

/** @returns seconds from the request to the first byte of the answer, which comes after the commit */
async function copies({ installation, size, runs, say }: Stage): Promise<number[]> {
  const { id: source } = await installation.source(size);
  return installation.withService(async (service) => {
    const seconds: number[] = [];
    await installation.warmUp((from, to) => service.duplicate(from, to));
    for (let run = 1; run <= runs; run++) {
      say(`copy ${run} of ${runs}`);
      const target = installation.newId();
      await installation.settle();
      const { sentAt, firstByteAt } = await service.duplicate(source, target);
      seconds.push((firstByteAt - sentAt) / 1_000);
      await installation.remove(target);
    }
    await installation.settle();
    return seconds;
  });
}

function clonesOf({ rig, size, runs, say }: Stage, python: string, mongodUri: string): Promise<Clones> {
  const known = cloned.get(rig) ?? new Map<number, Promise<Clones>>();
  cloned.set(rig, known);
  const before = known.get(size);
  if (before) return before;
  say('FiftyOne: writing the samples, then clone()');
  const clones = cloneByFiftyOne(python, mongodUri, size, runs);
  known.set(size, clones);
  return clones;
}

function figures({ mode, size }: Stage, product: readonly number[], clones: Clones): Figure[] {
  const base = { scenario: peer.name, mode, size } as const;
  const clone = `FiftyOne ${clones.version} clone()`;
  const medianClone = median(clones.seconds);
  return [
    { ...base, what: 'copy', unit: 's', values: product },
    { ...base, what: clone, unit: 's', values: clones.seconds },
    {
      ...base,
      what: 'copy / clone()',
      unit: 'x',
      // They do not take turns: each copy is compared with the median of the clones.
      values: product.map((seconds) => seconds / medianClone),
      ...(size >= GOAL_FROM && { goal: GOALS[mode] }),
    },
    {
      ...base,
      what: `${clone}: BSON of all samples`,
      unit: 'MB',
      values: [(clones.samples * clones.bytesPerSample) / MB],
    },
    ...(clones.peakRssBytes === null
      ? []
      : [
          {
            ...base,
            what: `${clone}: peak memory of the client`,
            unit: 'MB',
            values: [clones.peakRssBytes / MB],
          } as const,
        ]),
  ];
}
