import fc from 'fast-check';
import mongoose from 'mongoose';
import { toJson } from './bson-json';
import { NOT_PLAIN, PlainBsonReader } from './plain-bson-reader';
import { readAnnotations } from './stored-annotations';

const { BSON, Decimal128, Long, ObjectId } = mongoose.mongo;

const LIST_AT = 4 + '._id.'.length + 12 + '.annotations.'.length;
const _id = new ObjectId('abcde2018102439652000001');

const stored = (annotations: unknown): Uint8Array => BSON.serialize({ _id, annotations });
/** A list is stored as an object whose names are indices. */
const isPlain = (list: unknown[]): boolean =>
  new PlainBsonReader(BSON.serialize(new Map(list.map((value, at) => [String(at), value]))), 0).list() !==
  NOT_PLAIN;
const written = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const byDriver = (raw: Uint8Array): unknown =>
  (BSON.deserialize(raw)['annotations'] as unknown[]).map(toJson);

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const plain = fc.anything({
  // A name with a zero in it cannot be stored.
  key: fc.oneof(
    fc.constantFrom('$ref', '_bsontype', '', '1'),
    fc.stringMatching(/^[^\0]*$/).filter((name) => name !== '__proto__'),
  ),
  values: [
    fc.boolean(),
    fc.constant(null),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    int64.map((value) => Long.fromBigInt(value)),
    fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\uFFFD')),
  ],
});

it('reads what JSON can say as the driver does', () => {
  fc.assert(
    fc.property(fc.array(plain), (annotations) => {
      const list = annotations.map(asStored);
      expect(isPlain(list)).toBe(true);
      const raw = stored(list);
      expect(JSON.stringify(readAnnotations(raw))).toBe(JSON.stringify(byDriver(raw)));
    }),
  );
});

/** A member `_bsontype` would be taken for one of the driver's types, but not in a Map. */
function asStored(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asStored);
  if (typeof value !== 'object' || value === null || value instanceof Long) return value;
  return new Map(Object.entries(value).map(([name, member]) => [name, asStored(member)] as const));
}

it.each<[what: string, value: unknown]>([
  ['numbers of both kinds', [0, -1, 2 ** 31 - 1, -(2 ** 31), 2 ** 40, 0.1, 5e-324]],
  [
    'int64 that are safe, and those that are not',
    [1n, 2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n), -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n)],
  ],
  ['text of all lengths', ['', 'ключ😀', 'a"\\\n']],
  ['objects', { a: { b: [[], {}, null, true, false] } }],
  ['more than ten in a list', Array.from({ length: 123 }, (_, at) => at)],
])('needs the driver not for %s', (_, value) => {
  expect(isPlain([value])).toBe(true);
  expect(written(readAnnotations(stored([value])))).toEqual(written(byDriver(stored([value]))));
});

it.each<[what: string, value: unknown, json: unknown]>([
  ['no number', NaN, { $numberDouble: 'NaN' }],
  ['no end', -Infinity, { $numberDouble: '-Infinity' }],
  ['a decimal', Decimal128.fromString('1.10'), { $numberDecimal: '1.10' }],
  ['a date', new Date(0), { $date: '1970-01-01T00:00:00Z' }],
  ['what is named as a prototype', JSON.parse('{"__proto__":1}'), JSON.parse('{"__proto__":1}')],
  ['a character that stands for one that cannot be read', 'a\uFFFD', 'a\uFFFD'],
])('leaves to the driver: %s', (_, value, json) => {
  for (const list of [[value], [{ a: value }], [[[value]]], [1, value, 2]]) expect(isPlain(list)).toBe(false);
  expect(written(readAnnotations(stored([{ a: value, b: 1 }])))).toEqual([{ a: json, b: 1 }]);
});

it('makes no other text of bytes that are none', () => {
  const raw = Buffer.from(stored([{ a: 'xy' }]));
  raw[raw.indexOf('xy')] = 0xff;
  expect(() => readAnnotations(raw)).toThrow('UTF-8');
});

it.each<[what: string, change: (raw: Buffer) => unknown]>([
  ['a text of less than nothing', (raw) => raw.writeInt32LE(-7, raw.indexOf('xy') - 4)],
  ['a text that does not end', (raw) => raw.writeInt32LE(3_000, raw.indexOf('xy') - 4)],
  ['a list that is too short', (raw) => raw.writeInt32LE(raw.readInt32LE(LIST_AT) - 12, LIST_AT)],
  ['a list that is too long', (raw) => raw.writeInt32LE(raw.readInt32LE(LIST_AT) + 12, LIST_AT)],
  ['no zero any more', (raw) => raw.fill(0x10, raw.indexOf('xy'))],
])('refuses %s, as the driver does', (_, change) => {
  const raw = Buffer.from(stored([{ a: 'xy', b: 1 }]));
  change(raw);
  expect(() => byDriver(raw)).toThrow();
  expect(() => readAnnotations(raw)).toThrow();
});

it.each([undefined, null, 'text', { 0: {} }])('does not take %j for a list', (annotations) => {
  const raw = annotations === undefined ? BSON.serialize({ _id }) : stored(annotations);
  expect(() => readAnnotations(raw)).toThrow(`document ${String(_id)} has no list`);
});
