import fc from 'fast-check';
import { isId, isName, printable } from './validation';

describe('an id', () => {
  it('is exactly what PostgreSQL takes for a bigint of 19 digits and writes back the same', () => {
    const near = fc.oneof(
      fc.bigInt({ min: 0n, max: 2n ** 64n }).map(String),
      fc.bigInt({ min: 2n ** 63n - 100n, max: 2n ** 63n + 100n }).map(String),
      fc.stringMatching(/^[0-9]{18,20}$/),
    );
    fc.assert(
      fc.property(near, (text) => {
        const number = BigInt(text);
        expect(isId(text)).toBe(text.length === 19 && String(number) === text && number < 2n ** 63n);
      }),
    );
  });

  it.each([
    Number('2018102439652891014'),
    2018102439652891014n,
    null,
    undefined,
    ['2018102439652891014'],
    new String('2018102439652891014'),
  ])('is text: not %p', (value) => expect(isId(value)).toBe(false));
});

describe('a name', () => {
  it('is counted in code points', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 12 }), (text) => {
        const isStorable = !text.includes('\0');
        expect(isName(text, 8)).toBe(isStorable && [...text].length >= 1 && [...text].length <= 8);
      }),
    );
  });

  it.each(['\ud800', 'a\udc00', '\udc00\ud800', 'a\0b'])('is not %j', (text) =>
    expect(isName(text, 8)).toBe(false),
  );

  it('that is far too long is refused without counting', () => {
    expect(isName('x'.repeat(100_000_000), 200)).toBe(false);
  });
});

describe("a member's name in a message", () => {
  it('is short and well-formed whatever it was', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 0xffff }), { maxLength: 60 }), (units) => {
        const shown = printable(String.fromCharCode(...units));
        expect(shown.isWellFormed()).toBe(true);
        expect(shown.length).toBeLessThanOrEqual(41);
        expect(shown.endsWith('…')).toBe(units.length > 40 || units.at(-1) === 0x2026);
      }),
    );
  });

  it('stays as it is where it can', () => expect(printable('task_名😀')).toBe('task_名😀'));
});
