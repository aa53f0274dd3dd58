import mongoose from 'mongoose';
import { areTwins, roiIdOf } from './document-twins';

const { Binary, BSON, Decimal128, Double, Int32, Long, ObjectId, Timestamp } = mongoose.mongo;

const SOURCE = {
  _id: new ObjectId('507f1f77bcf86cd799439011'),
  task_id: 1n,
  img_id: 10n,
  img_roi_id: 100n as unknown,
  annotations: [
    { z: 1, lab_class_id: 7 as unknown, bbox: [1, 2.5, new Double(3), Long.fromNumber(4)] },
    { lab_class_id: 8 },
  ] as unknown,
  at: new Date(0) as unknown,
  by: { name: 'x', price: Decimal128.fromString('1.0'), photo: new Binary(Buffer.from('x')) },
};

/** With the ids of the maps below. */
const COPY = {
  ...SOURCE,
  _id: new ObjectId('a3f0c2018080810000000002'),
  task_id: 2n,
  img_id: 20n,
  img_roi_id: 200n as unknown,
  annotations: [
    { z: 1, lab_class_id: 17 as unknown, bbox: [1, 2.5, new Double(3), Long.fromNumber(4)] },
    { lab_class_id: 18 },
  ] as unknown,
};

function compare(copy: object, original: object): boolean {
  return areTwins({
    copy: BSON.serialize(copy),
    original: BSON.serialize(original),
    taskIds: [2n, 1n],
    imageIds: [20n, 10n],
    roiIds: new Map([
      [200n, 100n],
      [201n, 101n],
    ]),
    classIds: new Map([
      [17, 7],
      [18, 8],
    ]),
  });
}

/** The copy with other first annotations. */
function withFirst(...annotations: unknown[]): object {
  return { ...COPY, annotations: [...annotations, { lab_class_id: 18 }] };
}

const [FIRST] = COPY.annotations as { z: number; lab_class_id: number; bbox: unknown[] }[];

describe('a copy of a document', () => {
  it('is one with its own ids, and nothing else that differs', () => {
    expect(compare(COPY, SOURCE)).toBe(true);
    expect(compare({ ...COPY, _id: new ObjectId() }, SOURCE)).toBe(true);
  });

  it.each([
    ['of another task', { ...COPY, task_id: 1n }],
    ['of another image', { ...COPY, img_id: 21n }],
    ['of an image by another type', { ...COPY, img_id: new Double(20) }],
    ['of another ROI', { ...COPY, img_roi_id: 201n }],
    ['of a ROI that is no copy', { ...COPY, img_roi_id: 202n }],
    ['of no ROI', { ...COPY, img_roi_id: null }],
    ['with another class', withFirst({ ...FIRST, lab_class_id: 18 })],
    ['with a class that is no copy', withFirst({ ...FIRST, lab_class_id: 7 })],
    ['with a class of another type', withFirst({ ...FIRST, lab_class_id: new Double(17) })],
    ['with the class in another place', withFirst({ lab_class_id: 17, z: 1, bbox: FIRST!.bbox })],
    ['with another number', withFirst({ ...FIRST, z: 2 })],
    ['with a number of another type', withFirst({ ...FIRST, z: new Double(1) })],
    ['with another coordinate', withFirst({ ...FIRST, bbox: [1, 2.5, new Double(3), 4] })],
    ['with an annotation too many', withFirst(FIRST, FIRST)],
    ['with an annotation less', withFirst()],
    ['with an annotation that is none', withFirst(null)],
    ['without a list of annotations', { ...COPY, annotations: {} }],
    ['with another date', { ...COPY, at: new Date(1) }],
    ['with a date of another type', { ...COPY, at: new Timestamp(0n) }],
    ['with a decimal of other digits', { ...COPY, by: { ...COPY.by, price: Decimal128.fromString('1.00') } }],
    [
      'with binary of another kind',
      { ...COPY, by: { ...COPY.by, photo: new Binary(Buffer.from('x'), 0x80) } },
    ],
    ['with a member too many', { ...COPY, more: null }],
    ['with a member less', { ...COPY, at: undefined }],
    ['with a member of another name', { ...COPY, by: { nom: 'x', ...COPY.by } }],
    ['with members in another order', Object.fromEntries(Object.entries(COPY).reverse())],
  ])('is none %s', (_, copy) => {
    expect(compare(copy, SOURCE)).toBe(false);
  });

  it.each([null, undefined, 'none', 100])('keeps a ROI that is no id: %p', (img_roi_id) => {
    expect(compare({ ...COPY, img_roi_id }, { ...SOURCE, img_roi_id })).toBe(true);
    expect(compare(COPY, { ...SOURCE, img_roi_id })).toBe(false);
  });

  it('has its own classes as int32, whatever numbers the source has', () => {
    for (const lab_class_id of [
      new Int32(7),
      new Double(7),
      Long.fromNumber(7),
      Decimal128.fromString('7'),
    ]) {
      const annotations = [{ ...FIRST, lab_class_id }, { lab_class_id: 8 }];
      expect(compare(COPY, { ...SOURCE, annotations })).toBe(true);
      const other = [{ ...FIRST, lab_class_id: 8 }, { lab_class_id }];
      expect(compare(COPY, { ...SOURCE, annotations: other })).toBe(false);
    }
  });
});

it('tells the ROI of a document', () => {
  expect(roiIdOf(BSON.serialize(COPY))).toBe(200n);
  expect(roiIdOf(BSON.serialize({ ...COPY, img_roi_id: null }))).toBeNull();
  expect(roiIdOf(BSON.serialize({ ...COPY, img_roi_id: undefined }))).toBeNull();
});
