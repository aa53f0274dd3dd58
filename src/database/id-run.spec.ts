import fc from 'fast-check';
import { runColumns, runsWith, shiftRuns, sliceRuns, widthOf, type IdRun, type IdSpan } from './id-run';

/** Spans as a table has them, in order and apart from each other: the lengths of gap and span in turn. */
const spans: fc.Arbitrary<IdSpan[]> = fc
  .array(fc.tuple(fc.bigInt({ min: 1n, max: 10n ** 15n }), fc.bigInt({ min: 1n, max: 10n ** 12n })), {
    maxLength: 20,
  })
  .map((lengths) => {
    let next = 10n ** 18n;
    return lengths.map(([gap, length]) => {
      const firstId = next + gap;
      next = firstId + length;
      return { firstId, lastId: next - 1n };
    });
  });
const anId = fc.bigInt({ min: 10n ** 18n, max: 2n ** 62n });

/** Of at most 300 ids: a run is cut by counting. */
function shortened(run: IdRun): IdRun {
  const last = run.firstId + 299n;
  return { ...run, lastId: run.lastId < last ? run.lastId : last };
}

/** Neighbours with the same shift were one run. */
function joined(runs: readonly IdRun[]): IdRun[] {
  const whole: IdRun[] = [];
  for (const run of runs) {
    const before = whole.at(-1);
    if (before?.lastId === run.firstId - 1n && before.shift === run.shift)
      whole.splice(-1, 1, { ...before, lastId: run.lastId });
    else whole.push(run);
  }
  return whole;
}

describe('the runs of a copy', () => {
  it('lie side by side from the first new id on, in the order of their sources, as wide as was reserved', () => {
    fc.assert(
      fc.property(spans, anId, (sources, firstNewId) => {
        const runs = shiftRuns(sources, firstNewId);
        expect(runs.map(({ firstId, lastId }) => ({ firstId, lastId }))).toEqual(sources);
        let next = firstNewId;
        for (const { firstId, lastId, shift } of runs) {
          expect(firstId + shift).toBe(next);
          next = lastId + shift + 1n;
        }
        expect(BigInt(widthOf(sources))).toBe(next - firstNewId);
      }),
    );
  });

  it('give no two ids the same new one', () => {
    fc.assert(
      fc.property(spans, anId, (sources, firstNewId) => {
        const ends = shiftRuns(sources, firstNewId).flatMap(({ firstId, lastId, shift }) =>
          firstId === lastId ? [firstId + shift] : [firstId + shift, lastId + shift],
        );
        expect(new Set(ends).size).toBe(ends.length);
      }),
    );
  });

  it('are cut into slices that hold all of them, each no more than is allowed', () => {
    fc.assert(
      fc.property(spans, fc.integer({ min: 1, max: 5 }), (sources, runsMax) => {
        const runs = shiftRuns(sources, 10n ** 18n).map((run) => shortened(run));
        const slices = [...sliceRuns(runs, 100, runsMax)];
        for (const slice of slices) {
          expect(widthOf(slice)).toBeLessThanOrEqual(100);
          expect(slice.length).toBeLessThanOrEqual(runsMax);
        }
        expect(joined(slices.flat())).toEqual(runs);
        // None could have been left out.
        const least = Math.max(Math.ceil(widthOf(runs) / 100), Math.ceil(runs.length / runsMax));
        expect(slices.length).toBeLessThanOrEqual(least + Math.ceil(runs.length / runsMax));
      }),
    );
  });

  it('that hold an id are found, in their order', () => {
    fc.assert(
      fc.property(spans, fc.array(fc.nat()), (sources, picks) => {
        const runs = shiftRuns(sources, 1n);
        const picked = runs.filter((_, at) => picks.includes(at));
        const ids = picked.flatMap(({ firstId, lastId }) => [lastId, firstId]).reverse();
        expect(runsWith(runs, ids)).toEqual(picked);
      }),
    );
    expect(runsWith([{ firstId: 5n, lastId: 6n, shift: 0n }], [4n])).toEqual([]);
  });

  it('of nothing take nothing', () => {
    expect(widthOf([])).toBe(0);
    expect(shiftRuns([], 1n)).toEqual([]);
  });

  it('keep all their digits on the way to PostgreSQL', () => {
    const run = { firstId: 2n ** 63n - 2n, lastId: 2n ** 63n - 1n, shift: -(2n ** 62n) - 1n };
    expect(runColumns([run])).toEqual([
      ['9223372036854775806'],
      ['9223372036854775807'],
      ['-4611686018427387905'],
    ]);
  });
});
