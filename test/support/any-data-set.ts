import fc from 'fast-check';
import type { CocoDataSet } from './data-set';

type Members = Record<string, unknown>;

/** What the service knows of an element and may write otherwise than it stands in the file; it keeps all else. */
export const KNOWN_MEMBERS = {
  images: ['id', 'file_name', 'width', 'height', 'set_type', 'state', 'roi', 'order_id', 'img_id'],
  categories: ['id', 'name', 'color'],
  annotations: ['id', 'image_id', 'category_id', 'lab_class_id'],
} as const;

/** Text that every store can hold: any code point but NUL; half a surrogate pair is none. */
const text = (lengthMax = 8) =>
  fc.string({ unit: 'binary', maxLength: lengthMax }).filter((value) => !value.includes('\0'));

const NASTY_NAMES = ['__proto__', 'constructor', 'toString', '0', '7', '4294967294', '-1', '', '$set', 'a.b'];
const NASTY_TEXTS = ['\\', '"', '\u2028', '\u{10FFFF}', '𠮷😀', '{"a":1}', '2018102439652891014'];

/** A number whose value survives: an integer within ±(2^53 - 1), or no integer. */
const number = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer({ min: -10, max: 10 }),
  fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .filter((value) => Number.isSafeInteger(value) || !Number.isInteger(value)),
);

const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.oneof(fc.constant(null), fc.boolean(), number, text(), fc.constantFrom(...NASTY_TEXTS)),
    fc.array(tie('value'), { maxLength: 3 }),
    fc
      .array(fc.tuple(memberName(), tie('value')), { maxLength: 3 })
      .map((entries) => Object.fromEntries(entries)),
  ),
}));

/** Up to `depthMax` lists around nothing. */
const nested = (depthMax: number) => fc.integer({ min: 1, max: depthMax }).map(listsAround);

export function listsAround(levels: number): unknown {
  let inner: unknown = [];
  for (let level = 1; level < levels; level++) inner = [inner];
  return inner;
}

function memberName(): fc.Arbitrary<string> {
  return fc.oneof(text(), fc.constantFrom(...NASTY_NAMES));
}

/** Members that the service does not know, mostly none. */
function unknownMembers(known: readonly string[]): fc.Arbitrary<Members> {
  const name = memberName().filter((name) => !known.includes(name));
  const anything = fc.oneof({ weight: 9, arbitrary: value }, { weight: 1, arbitrary: nested(90) });
  return fc.array(fc.tuple(name, anything), { maxLength: 3 }).map((entries) => Object.fromEntries(entries));
}

const name = (lengthMax: number) =>
  fc.oneof(
    { weight: 9, arbitrary: text(20).filter((name) => name !== '') },
    { weight: 1, arbitrary: fc.constantFrom('𠮷', 'x').map((unit) => unit.repeat(lengthMax)) },
  );

const category = fc
  .tuple(
    fc.record(
      {
        name: fc.oneof(name(200), fc.constant('同名')),
        color: fc.integer({ min: 0, max: 0xffffff }).map((rgb) => `#${rgb.toString(16).padStart(6, '0')}`),
      },
      { requiredKeys: ['name'] },
    ),
    unknownMembers(KNOWN_MEMBERS.categories),
  )
  .map(([own, unknown]) => ({ ...own, ...unknown }));

const coordinate = fc.oneof(number, fc.double({ min: 0, max: 5000, noNaN: true }));
const length = fc.oneof(fc.nat(5000), fc.constant(0), fc.double({ min: 0, max: 5000, noNaN: true }));
const segmentation = fc.oneof(
  fc.constantFrom(null, []),
  fc.array(fc.array(coordinate, { maxLength: 9 }), { maxLength: 3 }),
  fc.record({ size: fc.tuple(fc.nat(5000), fc.nat(5000)), counts: fc.array(fc.nat(), { maxLength: 5 }) }),
  fc.record({ counts: text(), size: fc.tuple(fc.nat(5000), fc.nat(5000)) }),
);

const annotation = fc
  .tuple(
    fc.nat(),
    fc.record(
      {
        segmentation,
        bbox: fc.oneof(fc.constantFrom(null, []), fc.tuple(coordinate, coordinate, length, length)),
        iscrowd: fc.constantFrom(0, 1),
        area: number,
      },
      { requiredKeys: [] },
    ),
    unknownMembers([...KNOWN_MEMBERS.annotations, 'bbox', 'segmentation']),
    fc.boolean(),
  )
  .map(([place, own, unknown, unknownFirst]) => ({
    place,
    members: unknownFirst ? { ...unknown, ...own } : { ...own, ...unknown },
  }));

const image = fc.record({
  own: fc.record(
    {
      file_name: name(1024),
      set_type: fc.constantFrom(0, 1, 2),
      state: fc.constantFrom('已标注', '已训练', '已测试', null),
    },
    { requiredKeys: ['file_name'] },
  ),
  size: fc.tuple(fc.integer({ min: 1, max: 2 ** 31 - 1 }), fc.integer({ min: 1, max: 2 ** 31 - 1 })),
  roi: fc.option(fc.tuple(fc.nat(), fc.nat(), fc.nat(), fc.nat())),
  order: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 2 ** 31 - 1 })),
  unknown: unknownMembers(KNOWN_MEMBERS.images),
  /** Sparse: half of the images have none. */
  annotations: fc.oneof(fc.array(annotation, { maxLength: 0 }), fc.array(annotation, { maxLength: 4 })),
});

/** Any data set that an import takes, with all that a task can hold. */
export const anyDataSet: fc.Arbitrary<CocoDataSet> = fc
  .record({
    head: fc.record({ info: value, licenses: value }, { requiredKeys: [] }),
    categories: fc.oneof(
      { weight: 4, arbitrary: fc.array(category, { maxLength: 4 }) },
      { weight: 1, arbitrary: fc.array(category, { minLength: 30, maxLength: 60 }) },
    ),
    images: fc.uniqueArray(image, { selector: ({ order }) => order, maxLength: 7 }),
    isOrdered: fc.boolean(),
  })
  .map(({ head, categories, images, isOrdered }) => ({
    ...head,
    images: images.map(({ own, size: [width, height], roi, order, unknown }, id) => ({
      id,
      ...own,
      width,
      height,
      ...(roi && { roi: insideOf(width, height, roi) }),
      ...(isOrdered && { order_id: order }),
      ...unknown,
    })),
    categories: categories.map((category, id) => ({ id: `class ${String(id)}`, ...category })),
    annotations:
      categories.length === 0
        ? []
        : images.flatMap(({ annotations }, image_id) =>
            annotations.map(({ place, members }) => ({
              image_id,
              category_id: `class ${String(place % categories.length)}`,
              ...members,
            })),
          ),
  }));

function insideOf(width: number, height: number, [left, top, right, bottom]: number[]): number[] {
  const [x, y] = [left! % width, top! % height]; // four numbers
  return [x, y, 1 + (right! % (width - x)), 1 + (bottom! % (height - y))];
}
