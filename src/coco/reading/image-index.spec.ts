import fc from 'fast-check';
import type { CocoImage } from './coco-elements';
import { ImageIndex } from './image-index';

const IMAGE: CocoImage = {
  key: '1',
  name: 'a',
  width: 1,
  height: 1,
  setType: 0,
  state: null,
  orderId: null,
  roi: null,
  extra: null,
};

function indexOf(images: readonly Partial<CocoImage>[]): ImageIndex {
  const index = new ImageIndex();
  for (const image of images) index.add({ ...IMAGE, ...image }, 1);
  return index;
}

it('knows where each image of ascending ids stands, what it has, and that no other id is there', () => {
  const images = fc.record({
    first: fc.oneof(fc.integer({ min: -9, max: 3 }), fc.constant(Number.MAX_SAFE_INTEGER - 2_000)),
    steps: fc.array(fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 5 })), { maxLength: 300 }),
    flags: fc.array(fc.tuple(fc.boolean(), fc.boolean()), { minLength: 300, maxLength: 300 }),
    firstOrderId: fc.option(fc.integer({ min: 1, max: 30 })),
  });
  fc.assert(
    fc.property(images, ({ first, steps, flags, firstOrderId }) => {
      const keys = steps.reduce((before, step) => [...before, before.at(-1)! + step], [first]).slice(0, 300);
      const index = indexOf(
        keys.map((key, at) => ({
          key: String(key),
          orderId: firstOrderId === null ? null : firstOrderId + 3 * at,
          roi: flags[at]![0] ? [0, 0, 1, 1] : null,
          state: flags[at]![1] ? '已训练' : null,
        })),
      );
      expect(index.isOrdered).toBe(true);
      expect([index.count, index.roiCount]).toEqual([
        keys.length,
        flags.slice(0, keys.length).filter(([roi]) => roi).length,
      ]);
      for (let key = first - 2; key <= keys.at(-1)! + 2; key++) {
        const at = keys.indexOf(key);
        expect(index.find(String(key))).toBe(at === -1 ? undefined : at);
      }
      keys.forEach((_, at) => expect([index.hasRoi(at), index.hasState(at)]).toEqual(flags[at]));
      expect(['"1"', '"a"'].map((key) => index.find(key))).toEqual([undefined, undefined]);
    }),
  );
});

it('grows with the file', () => {
  const index = indexOf(
    Array.from({ length: 5_000 }, (_, at) => ({ key: String(at), roi: at % 3 === 0 ? [0, 0, 1, 1] : null })),
  );
  expect([index.count, index.roiCount]).toEqual([5_000, 1_667]);
  expect([index.hasRoi(0), index.hasRoi(4_998), index.hasRoi(4_999)]).toEqual([true, true, false]);
});

it('is in order without an image', () => {
  expect(new ImageIndex()).toMatchObject({ isOrdered: true, count: 0 });
  expect(new ImageIndex().find('1')).toBeUndefined();
});

it.each<[string, Partial<CocoImage>[]]>([
  ['an id that is a text', [{ key: '1' }, { key: '"2"' }]],
  ['a first id that is a text', [{ key: '"1"' }]],
  ['the same id twice', [{ key: '1' }, { key: '1' }]],
  ['ids that descend', [{ key: '2' }, { key: '1' }]],
  ['places that descend', [{ orderId: 2 }, { orderId: 1 }]],
  ['the same place twice', [{ orderId: 2 }, { orderId: 2 }]],
  ['a place from the second image on', [{ orderId: null }, { orderId: 1 }]],
  ['a place of the first image only', [{ orderId: 1 }, { orderId: null }]],
])('is out of order with %s', (_, images) => {
  const index = indexOf(images.map((image, at) => ({ key: String(at), ...image })));
  expect(index.isOrdered).toBe(false);
  index.add({ ...IMAGE, key: '9' }, 1);
  expect(index).toMatchObject({ isOrdered: false, count: images.length + 1 });
});

it('is exact up to the largest id', () => {
  const [last, before] = [Number.MAX_SAFE_INTEGER, 24];
  const small = Array.from({ length: before }, (_, at) => ({ key: String(at + 1) }));
  const index = indexOf([...small, ...range(last - 19, last).map((key) => ({ key: String(key) }))]);
  expect(index.isOrdered).toBe(true);
  expect(range(last - 20, last).map((key) => index.find(String(key)))).toEqual([
    undefined,
    ...range(before, before + 19),
  ]);
});

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

it('takes as many runs as it says, and not one more', () => {
  const scattered = (count: number) =>
    indexOf(Array.from({ length: count }, (_, at) => ({ key: String(2 * at) })));
  expect(scattered(10_000)).toMatchObject({ isOrdered: true });
  expect(scattered(10_000).find('19998')).toBe(9_999);
  expect(scattered(10_001)).toMatchObject({ isOrdered: false });
});

it.each([
  ['light', 1, [4_000, 8_000, 8_100]],
  ['of 256 KB each', 2 ** 18, Array.from({ length: 32 }, (_, at) => Math.min(256 * (at + 1), 8_100))],
  ['of 20 MB each', 20 * 2 ** 20, Array.from({ length: 1_013 }, (_, at) => Math.min(8 * (at + 1), 8_100))],
])('ends the statements of %s images, in whole bytes of bits', (_, bytes, ends) => {
  const index = new ImageIndex();
  for (let at = 0; at < 8_100; at++) index.add({ ...IMAGE, key: String(at) }, bytes);
  const found = [0];
  while (found.at(-1)! < index.count) found.push(index.rowsEnd(found.at(-1)!));
  expect(found.slice(1)).toEqual(ends);
});
