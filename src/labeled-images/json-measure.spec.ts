import { calculateObjectSize } from 'bson';
import fc from 'fast-check';
import { bsonBytes, DEPTH_MAX, UnstorableJson } from './json-measure';

/** Text of any code points but NUL. */
const text = fc.string({ unit: 'binary' }).filter((value) => !value.includes('\0'));
const number = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Number.isInteger(value)),
  fc.constantFrom(0, -0, 1e-320, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 53 - 1),
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    number,
    text,
    fc.array(tie('value'), { maxLength: 12 }),
    fc.dictionary(text, tie('value'), { maxKeys: 6, noNullPrototype: true }),
  ),
}));

function problemOf(measured: unknown): string {
  try {
    bsonBytes(measured, 1);
    return 'none';
  } catch (thrown) {
    if (thrown instanceof UnstorableJson) return thrown.problem;
    throw thrown;
  }
}

function nested(levels: number): unknown {
  let json: unknown = 'leaf';
  for (let level = 0; level < levels; level++) json = level % 2 === 0 ? [json] : { a: json };
  return json;
}

describe('the size of a document', () => {
  it('is what the bson library says, for anything that can be stored', () => {
    fc.assert(
      fc.property(value, (measured) => {
        expect(bsonBytes({ v: measured }, 1)).toBe(calculateObjectSize({ v: measured }));
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([9, 10, 99, 100, 101, 1_000, 1_001, 10_001])('counts the names of %d elements', (length) => {
    const array = Array.from({ length }, (_, at) => at);
    expect(bsonBytes({ array }, 1)).toBe(calculateObjectSize({ array }));
  });
});

describe('what cannot be stored', () => {
  it.each([
    ['an integer beyond 2^53', [2 ** 53], 'number'],
    ['one beyond -2^53', { a: -(2 ** 53) }, 'number'],
    ['a large double', [1e300], 'number'],
    ['an overflow', JSON.parse('[1e400]'), 'number'],
    ['NUL in a text', ['\0'], 'text'],
    ['NUL in a name', { 'a\0': 1 }, 'text'],
    ['half a surrogate pair', ['a\ud800'], 'text'],
    ['half a surrogate pair in a name', { '\udc00': 1 }, 'text'],
    ['too many levels', nested(DEPTH_MAX + 1), 'depth'],
  ])('%s', (_, measured, problem) => expect(problemOf(measured)).toBe(problem));

  it('is not what only looks like it', () => {
    expect(
      [
        [2 ** 53 - 1],
        [-(2 ** 53) + 1],
        [1e15 + 0.5],
        ['😀'],
        nested(DEPTH_MAX),
        { __proto__: null, a: 1 },
      ].map(problemOf),
    ).toEqual(Array<string>(6).fill('none'));
  });

  it('counts the levels it stands in already', () => {
    expect(() => bsonBytes(nested(DEPTH_MAX - 4), 5)).not.toThrow();
    expect(() => bsonBytes(nested(DEPTH_MAX - 3), 5)).toThrow(new UnstorableJson('depth'));
  });
});
