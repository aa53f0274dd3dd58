import { ANNOTATION_HEAD_BYTES } from '../labeled-images/annotation-rules';
import { AnnotationGroups, type AnnotationGroup } from './annotation-groups';

const annotation = (imageKey: string, key: string | null, rest = '{}') => ({
  key,
  imageKey,
  categoryKey: `"class of ${key ?? ''}"`,
  rest,
  bsonBytes: 10,
});

function grouped(...annotations: ReturnType<typeof annotation>[]): AnnotationGroup[] {
  const groups = new AnnotationGroups();
  return [...annotations.map((one) => groups.add(one, JSON.stringify(one).length)), groups.end()].filter(
    (group) => group !== null,
  );
}

it('groups what follows each other, and knows where each began', () => {
  const groups = grouped(
    annotation('1', '5', '{"a":1}'),
    annotation('1', null, '{"b":2}'),
    annotation('2', '6'),
    annotation('1', '7'),
  );
  expect(groups).toEqual([
    {
      seq: 0,
      imageKey: '1',
      annotations: 2,
      keys: '5\n',
      categoryKeys: '"class of 5"\n"class of "',
      bsonBytes: 2 * (10 + ANNOTATION_HEAD_BYTES),
      rests: '{"a":1},{"b":2}',
      bytes: expect.any(Number),
    },
    expect.objectContaining({ seq: 2, imageKey: '2', annotations: 1, keys: '6' }),
    expect.objectContaining({ seq: 3, imageKey: '1', annotations: 1, keys: '7' }),
  ]);
});

it('begins another group where one has become long', () => {
  const long = JSON.stringify('x'.repeat(30_000));
  const groups = grouped(...['1', '2', '3', '4', '5'].map((key) => annotation('1', key, long)));
  expect(groups.map(({ seq, annotations }) => [seq, annotations])).toEqual([
    [0, 2],
    [2, 2],
    [4, 1],
  ]);
});

it('begins another group where ids are long, whatever else is in it', () => {
  const key = JSON.stringify('x'.repeat(1_000));
  const groups = grouped(...Array.from({ length: 1_000 }, () => annotation('1', key)));
  expect(Math.max(...groups.map(({ keys, categoryKeys }) => keys.length + categoryKeys.length))).toBeLessThan(
    2 ** 16,
  );
});

it('makes nothing of nothing, and an annotation of any size a group', () => {
  expect(grouped()).toEqual([]);
  expect(grouped(annotation('1', '1', 'x'.repeat(2 ** 20)))).toHaveLength(1);
});
