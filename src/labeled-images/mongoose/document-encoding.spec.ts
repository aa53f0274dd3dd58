import mongoose from 'mongoose';
import type { NewDocument } from '../labeled-image.repository';
import { decodeDocuments } from './document-decoding';
import { encodeAnnotation, encodeDocuments } from './document-encoding';

const { BSON, ObjectId } = mongoose.mongo;

const ID = 'abcde2018102439652000001';
const IMAGE_ID = '2018102439652000002';

const document = (annotations: object[], roiId: string | null = null): NewDocument => ({
  id: ID,
  imageId: IMAGE_ID,
  roiId,
  labClassIds: annotations.map((_, at) => 1_000 + at),
  annotations: annotations.map(encodeAnnotation),
});

/** By the driver's own serializer. */
const serialized = (annotations: object[], roiId: bigint | null = null) =>
  Buffer.from(
    BSON.serialize({
      _id: new ObjectId(ID),
      task_id: 7n,
      img_id: BigInt(IMAGE_ID),
      img_roi_id: roiId,
      annotations: annotations.map((annotation, at) => ({ lab_class_id: 1_000 + at, ...annotation })),
    }),
  );

it.each<[what: string, annotations: object[]]>([
  ['none', []],
  ['one without members', [{}]],
  ['of all kinds', [{ a: 1, b: 1.5, c: 'x', d: [1, [2], {}], e: { f: null, g: true }, h: 2 ** 40 }]],
  ['more than a hundred', Array.from({ length: 123 }, (_, at) => ({ at }))],
])('writes documents as the driver does: annotations %s', (_, annotations) => {
  expect(encodeDocuments(7n, [document(annotations)])).toEqual(serialized(annotations));
  expect(encodeDocuments(7n, [document(annotations, '-5')])).toEqual(serialized(annotations, -5n));
});

it('writes one behind the other, and reads them again', () => {
  const bytes = encodeDocuments(7n, [document([{ a: 1 }]), document([]), document([{}, { b: 'x' }], '9')]);
  expect(bytes).toEqual(
    Buffer.concat([serialized([{ a: 1 }]), serialized([]), serialized([{}, { b: 'x' }], 9n)]),
  );
  const decoded = decodeDocuments(bytes);
  expect(decoded).toHaveLength(3);
  expect(Buffer.concat(decoded.map((one) => BSON.serialize(one)))).toEqual(bytes);
  expect(decodeDocuments(Buffer.alloc(0))).toEqual([]);
});

it('has the class first, whatever the names of the members', () => {
  const [decoded] = decodeDocuments(encodeDocuments(7n, [document([{ 0: 'zero', z: 1 }])]));
  expect([...(decoded?.get('annotations') as [Map<string, unknown>])[0]]).toEqual([
    ['lab_class_id', 1_000],
    ['0', 'zero'],
    ['z', 1],
  ]);
});

it('stores a member that is called as a type of the driver, also on the way back', () => {
  const odd = {
    _bsontype: 'ObjectId',
    inner: [
      { _bsontype: 'Long', low: 1 },
      { $ref: 'a', $id: 1 },
    ],
  };
  const bytes = encodeDocuments(7n, [document([odd])]);
  const [decoded] = decodeDocuments(bytes);
  expect(Buffer.from(BSON.serialize(decoded!))).toEqual(bytes);
  expect(JSON.stringify(BSON.deserialize(bytes)['annotations'])).toBe(
    JSON.stringify([{ lab_class_id: 1_000, ...odd }]),
  );
});
