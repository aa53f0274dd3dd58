import fc from 'fast-check';
import { type ApiError } from '../errors/api-error';
import { decodeCursor, decodeOrder, encodeCursor } from './cursor-text';

/** What is thrown for a cursor that is none. */
const NOT_A_CURSOR = expect.objectContaining({
  errorName: 'NOT_A_CURSOR',
  details: { member: 'cursor' },
}) as ApiError;

describe('a cursor', () => {
  it('is read back as it was written, and fits into a query as it is', () => {
    fc.assert(
      fc.property(fc.array(fc.nat().map(String), { minLength: 2, maxLength: 2 }), (parts) => {
        const cursor = encodeCursor(...parts);
        expect(cursor).toMatch(/^[\w-]+$/);
        expect(decodeCursor(cursor, /^(\d+) (\d+)$/)).toEqual(parts);
      }),
    );
  });

  it('that anybody made up is refused or read, and nothing else happens', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String()), (text) => {
        try {
          expect(decodeOrder(text)).toBeLessThanOrEqual(2 ** 31 - 1);
        } catch (thrown) {
          expect(thrown).toEqual(NOT_A_CURSOR);
        }
      }),
    );
  });
});

describe('a place in the order', () => {
  it.each([0, 1, 2 ** 31 - 1])('may be %d', (order) => expect(decodeOrder(encodeCursor(order))).toBe(order));

  it('is the beginning where no cursor is given', () => expect(decodeOrder(undefined)).toBe(0));

  it.each(['', '-1', '1.5', '1e3', ' 1', '1 ', '1\n', '0x1', '2147483648', '99999999999', '١', '１'])(
    'is not %j',
    (text) => {
      expect(() => decodeOrder(encodeCursor(text))).toThrow(NOT_A_CURSOR);
    },
  );
});
