import fc from 'fast-check';
import mongoose from 'mongoose';
import type { ByteSpan } from '../../src/labeled-images/byte-span';
import type { EncodedAnnotation } from '../../src/labeled-images/labeled-image.repository';
import { readAnnotation, type CocoElement } from '../../src/coco/reading/coco-elements';
import { ImportReport } from '../../src/coco/import-report';
import { PlainAnnotationReader } from '../../src/coco/reading/plain-annotation-reader';

const { BSON } = mongoose.mongo;

interface Forms {
  readonly json: string;
  readonly bson: string;
}

const bytesOf = ({ block, from, to }: ByteSpan) => Buffer.from(block.subarray(from, to));
const reader = new PlainAnnotationReader({
  prepareEncoded: ({ json, bson }: EncodedAnnotation): Forms => ({
    json: bytesOf(json).toString(),
    bson: bytesOf(bson).toString('hex'),
  }),
});
/** Of an object that is all of the text. */
const read = (text: string) => {
  const bytes = Buffer.from(text);
  const plain = reader.read(bytes, 0);
  return reader.end === bytes.length ? plain : null;
};

/** What JSON.parse and readAnnotation make of it; null where they have a fault to report, or a warning. */
function readAsObject(text: string) {
  const report = new ImportReport();
  const made = readAnnotation(JSON.parse(text) as CocoElement, 0, report, { prepare: (rest) => rest });
  return report.hasFaults || report.warnings.length > 0 ? null : made;
}

/** Takes it, and as the other way does. */
function expectSame(text: string): void {
  const plain = read(text);
  const made = readAsObject(text);
  const { json, bson } = plain?.rest as Forms;
  expect(plain).toEqual({ ...made, rest: plain?.rest });
  expect(JSON.stringify(JSON.parse(json))).toBe(JSON.stringify(made?.rest));
  expect(json).not.toMatch(/[\n\t\\]/);
  const members = Object.entries(made?.rest as object);
  const expected = BSON.serialize(new Map<string, unknown>([['lab_class_id', 0], ...members]));
  expect(bson).toBe(Buffer.from(expected).toString('hex'));
}

const IDS = '"id":3,"image_id":1,"category_id":2';

it.each([
  `{${IDS}}`,
  `{"category_id":0,"image_id":0,"area":1.5,"id":-1}`,
  `{"id":9007199254740991,"image_id":-9007199254740989,"category_id":5.0}`,
  `{${IDS},"segmentation":[[1,2,3,4,5,6.5],[0.1,0.2,0.30,-4,5,6]],"bbox":[1,2,3,4]}`,
  `{${IDS},"segmentation":[],"bbox":[-1.5,-2,0.5,1],"iscrowd":0}`,
  `{${IDS},"unknown":[],"score":0.987654321,"name":"猫 – 🐈 'x'","":"","lists":[[],[1],2]}`,
  ` {"id" :\t3 ,\r\n"image_id": 1, "category_id" : 2 , "segmentation" : [ [ 1 , 2 , 3 , 4 , 5 , 6 ] ] }`.trim(),
  `{${IDS},"a":2147483647,"b":2147483648,"c":-2147483648,"d":-2147483649,"e":9007199254740991}`,
  `{${IDS},"a":0.1234567890123456789,"b":0.0000000000000000000001,"c":702.1057499999998,"d":123456789012345.678}`,
  `{${IDS},"a":${'0.1'.padEnd(24, '9')},"b":-0.5,"c":979.0}`,
  `{${IDS},"longest":[${'1,'.repeat(32_000)}1]}`,
  `{${IDS},"longest":[${'[],'.repeat(21_000)}[]]}`,
  `{${IDS},"many":[${Array.from({ length: 1_234 }, (_, at) => at / 4).join()}]}`,
])('takes what is plain: %.150s', expectSame);

it.each<[what: string, text: string]>([
  ['no id', '{"image_id":1,"category_id":2}'],
  ['no image', '{"id":1,"category_id":2}'],
  ['no category', '{"id":1,"image_id":2}'],
  ['an id of 0', '{"id":0,"image_id":1,"category_id":2}'],
  ['an id that is text', '{"id":"3","image_id":1,"category_id":2}'],
  ['an id that is no integer', '{"id":3.5,"image_id":1,"category_id":2}'],
  ['an id that is too large', '{"id":9007199254740992,"image_id":1,"category_id":2}'],
  ['an object', `{${IDS},"attributes":{}}`],
  ['a list in a list in a list', `{${IDS},"a":[[[1]]]}`],
  ['text in a list', `{${IDS},"a":["x"]}`],
  ['null', `{${IDS},"bbox":null}`],
  ['true', `{${IDS},"iscrowd":true}`],
  ['an escape', `{${IDS},"a":"\\u0041"}`],
  ['an escape in a name', `{${IDS},"\\u0041":1}`],
  ['an exponent', `{${IDS},"a":1e5}`],
  ['a capital exponent', `{${IDS},"a":1E5}`],
  ['a negative zero', `{${IDS},"a":-0.0}`],
  ['an integer beyond 2^53', `{${IDS},"a":9007199254740992}`],
  ['more decimals than a double needs', `{${IDS},"a":0.00000000000000000000001}`],
  ['more digits than a double needs', `{${IDS},"a":${'0.1'.padEnd(40, '9')}}`],
  ['a number that overflows', `{${IDS},"a":${'9'.repeat(400)}}`],
  ['a name twice', `{${IDS},"a":1,"b":2,"a":3}`],
  ['an id twice', `{${IDS},"id":3}`],
  ['a name that is an index', `{${IDS},"7":1}`],
  ['the name of its class in a document', `{${IDS},"lab_class_id":1}`],
  ['a short box', `{${IDS},"bbox":[1,2,3]}`],
  ['a long box', `{${IDS},"bbox":[1,2,3,4,5]}`],
  ['a box of no size', `{${IDS},"bbox":[1,2,3,0]}`],
  ['a box of a negative size', `{${IDS},"bbox":[1,2,-3,4]}`],
  ['a box with a list', `{${IDS},"bbox":[1,2,3,[4]]}`],
  ['a box that is none', `{${IDS},"bbox":4}`],
  ['a short polygon', `{${IDS},"segmentation":[[1,2,3,4]]}`],
  ['an odd polygon', `{${IDS},"segmentation":[[1,2,3,4,5,6,7]]}`],
  ['a polygon that is no list', `{${IDS},"segmentation":[1,2,3,4,5,6]}`],
  ['run lengths', `{${IDS},"segmentation":{"size":[1,1],"counts":"1"}}`],
  ['more than 64 KB', `{${IDS},"a":"${'x'.repeat(2 ** 16)}"}`],
  ['many members', `{${IDS},${Array.from({ length: 30 }, (_, at) => `"m${String(at)}":1`).join()}}`],
])('leaves %s to the other way', (_, text) => expect(read(text)).toBeNull());

it.each([
  '{}',
  `{${IDS},}`,
  `{${IDS}`,
  `{${IDS}]`,
  `{${IDS}}}`,
  `{,${IDS}}`,
  `{${IDS},"a"}`,
  `{${IDS},"a":}`,
  `{${IDS},"a":[1,]}`,
  `{${IDS},"a":[,1]}`,
  `{${IDS},"a":[1 2]}`,
  `{${IDS},"a":[[1,2}`,
  `{${IDS},"a":01}`,
  `{${IDS},"a":1.}`,
  `{${IDS},"a":.5}`,
  `{${IDS},"a":-}`,
  `{${IDS},"a":+1}`,
  `{${IDS},"a":--1}`,
  `{${IDS},"a":nul}`,
  `{${IDS},"a":"\t"}`,
  `{${IDS},"a":"x}`,
  `{${IDS},a:1}`,
  `{${IDS},"a"=1}`,
  `{${IDS};"a":1}`,
  `{${IDS}\u00a0}`,
])('takes no JSON that is none: %s', (text) => expect(read(text)).toBeNull());

it('reads an object wherever it stands in a text, and none that breaks off', () => {
  const object = `{${IDS},"bbox":[1,2,3,4]}`;
  const text = Buffer.from(`[${object}, ${object}`);
  for (const from of [1, object.length + 3]) {
    const plain = reader.read(text, from);
    expect(reader.end).toBe(from + object.length);
    expect(plain).toEqual(read(object));
  }
  const whole = Buffer.from(object);
  for (let length = 1; length < whole.length; length++) {
    expect(reader.read(whole.subarray(0, length), 0)).toBeNull();
  }
});

it('is not misled by what it refused before', () => {
  expect(read(`{${IDS},"segmentation":[[1,2,3,4,5,6],[1`)).toBeNull();
  expectSame(`{${IDS},"area":1}`);
});

describe('whatever it takes', () => {
  const decimal = fc
    .tuple(fc.constantFrom('', '-'), fc.nat(), fc.stringMatching(/^(\.\d{1,25})?$/))
    .map(([sign, whole, fraction]) => `${sign}${String(whole)}${fraction}`);
  const number = fc.oneof(
    decimal,
    fc.double().map((value) => JSON.stringify(value)),
    fc.maxSafeInteger().map(String),
    fc.constantFrom('0', '-0', '0.0', '1e3', '1E-7', '2147483648', '9007199254740993', '00', '1.', 'NaN'),
  );
  const list = (of: fc.Arbitrary<string>, maxLength: number) =>
    fc.array(of, { maxLength }).map((items) => `[${items.join()}]`);
  const numbers = list(number, 12);
  const anything = fc.oneof(
    number,
    numbers,
    list(fc.oneof(number, numbers), 4),
    fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
    fc.json(),
  );
  const segmentation = fc.oneof({ weight: 4, arbitrary: list(list(decimal, 8), 3) }, anything);
  const bbox = fc.oneof({ weight: 4, arbitrary: list(decimal, 5) }, anything);
  const id = fc.oneof({ weight: 9, arbitrary: fc.integer().map(String) }, anything);
  const member = fc.oneof(
    fc.tuple(fc.constantFrom('segmentation'), segmentation),
    fc.tuple(fc.constantFrom('bbox'), bbox),
    fc.tuple(fc.constantFrom('id', 'image_id', 'category_id'), id),
    fc.tuple(fc.oneof(fc.constantFrom('area', '__proto__', '_bsontype', '', '1'), fc.string()), anything),
  );
  const space = fc.constantFrom('', '', '', ' ', '\n\t');
  const annotation = fc
    .tuple(id, id, id, fc.array(member, { maxLength: 4 }), space, fc.nat(3))
    .map(([own, image, category, members, gap, shift]) => {
      const all = [['id', own], ['image_id', image], ['category_id', category], ...members] as const;
      const moved = [...all.slice(shift), ...all.slice(0, shift)];
      const text = moved.map(([name, value]) => `${JSON.stringify(name)}${gap}:${gap}${value}`);
      return `{${gap}${text.join(`${gap},${gap}`)}${gap}}`;
    });

  it('the other way takes, too, without a word, and as the same', () => {
    let taken = 0;
    fc.assert(
      fc.property(annotation, (text) => {
        if (!read(text)) return;
        taken++;
        expectSame(text);
      }),
      { numRuns: 5_000 },
    );
    expect(taken).toBeGreaterThan(500);
  });
});
