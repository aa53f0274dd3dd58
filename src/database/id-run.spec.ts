import fc from 'fast-check';
import { runColumns, shiftRuns, widthOf, type IdSpan } from './id-run';

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
