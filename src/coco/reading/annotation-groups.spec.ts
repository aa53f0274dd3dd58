import { ANNOTATION_HEAD_BYTES, DOCUMENT_BYTES_MAX } from '../../labeled-images/annotation-rules';
import { AnnotationGroups, isTooLarge, type AnnotationGroup } from './annotation-groups';
import type { CocoAnnotation } from './coco-elements';

const BYTES_MAX = 2 ** 16;

const annotation = (imageKey: string, key: string | null, rest = {}, bsonBytes = 10) => ({
  key,
  imageKey,
  categoryKey: `"class of ${key ?? ''}"`,
  rest,
  bsonBytes,
});

function grouped(...annotations: CocoAnnotation[]): AnnotationGroup[] {
  const groups = new AnnotationGroups(BYTES_MAX);
  return [...annotations.map((one) => groups.add(one, JSON.stringify(one).length)), groups.end()].filter(
    (group) => group !== null,
  );
}

it('groups what follows each other, and knows where each began', () => {
  const groups = grouped(
    annotation('1', '5', { a: 1 }),
    annotation('1', null, { b: 2 }),
    annotation('2', '6'),
    annotation('1', '7'),
  );
  expect(groups).toEqual([
    {
      seq: 0,
      imageKey: '1',
      keys: ['5', null],
      categoryKeys: ['"class of 5"', '"class of "'],
      rests: [{ a: 1 }, { b: 2 }],
      bsonBytes: 2 * (10 + ANNOTATION_HEAD_BYTES),
      bytes: expect.any(Number),
    },
    expect.objectContaining({ seq: 2, imageKey: '2', keys: ['6'] }),
    expect.objectContaining({ seq: 3, imageKey: '1', keys: ['7'] }),
  ]);
});

it('begins another group where one has become long', () => {
  const long = { text: 'x'.repeat(30_000) };
  const groups = grouped(...['1', '2', '3', '4', '5'].map((key) => annotation('1', key, long)));
  expect(groups.map(({ seq, keys }) => [seq, keys.length])).toEqual([
    [0, 2],
    [2, 2],
    [4, 1],
  ]);
});

it('begins another group where ids are long, whatever else is in it', () => {
  const key = JSON.stringify('x'.repeat(1_000));
  const groups = grouped(...Array.from({ length: 1_000 }, () => annotation('1', key)));
  const idBytes = groups.map(({ keys, categoryKeys }) => [...keys, ...categoryKeys].join('').length);
  expect(Math.max(...idBytes)).toBeLessThan(BYTES_MAX);
});

it('makes nothing of nothing, and an annotation of any size a group', () => {
  expect(grouped()).toEqual([]);
  expect(grouped(annotation('1', '1', { text: 'x'.repeat(2 ** 20) }))).toHaveLength(1);
});

it('keeps the size, and no more, of what is too large for a document', () => {
  const half = DOCUMENT_BYTES_MAX / 2;
  const groups = grouped(
    annotation('1', '1', {}, half),
    annotation('1', '2', {}, half),
    annotation('1', '3'),
  );
  expect(groups).toMatchObject([{ keys: ['1', '2', '3'], rests: [] }]);
  expect(groups.map(({ bsonBytes }) => isTooLarge(bsonBytes))).toEqual([true]);
});
