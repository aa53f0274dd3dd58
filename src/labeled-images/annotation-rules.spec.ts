import { findDirt, findFault } from './annotation-rules';

const TRIANGLE = [561, 1238, 568, 1201, 567.5, 1175.25];
const RLE = { size: [480, 640], counts: [0, 5, 307195] };

describe('an annotation without a fault', () => {
  it.each<[what: string, annotation: Record<string, unknown>]>([
    ['has neither box nor segmentation', {}],
    ['has null for both', { bbox: null, segmentation: null }],
    ['has empty ones', { bbox: [], segmentation: [] }],
    ['has a box', { bbox: [0, 0, 1, 1] }],
    ['has a box beyond the image, in parts of pixels', { bbox: [-3.5, -1e-7, 1e9, 0.25] }],
    ['has a polygon', { segmentation: [TRIANGLE] }],
    ['has several polygons', { segmentation: [TRIANGLE, TRIANGLE, [...TRIANGLE, 1, 2]] }],
    ['has run lengths', { segmentation: RLE }],
    ['has compressed run lengths', { segmentation: { size: [480, 640], counts: 'PPYo1\\`0"' } }],
    ['has empty run lengths', { segmentation: { size: [0, 0], counts: [] } }],
    ['has run lengths with members of their own', { segmentation: { ...RLE, tool: 'x' } }],
    ['has members that are not looked at', { bbox: [0, 0, 1, 1], area: 'large', iscrowd: null }],
  ])('%s', (_, annotation) => {
    expect(findFault(annotation)).toBeNull();
    expect(findDirt(annotation)).toEqual([]);
  });
});

describe('a fault', () => {
  it.each([
    [[1]],
    [[1, 2, 3]],
    [[1, 2, 3, 4, 5]],
    [[1, 2, 3, null]],
    [[1, 2, 3, '4']],
    [[[1, 2, 3, 4]]],
    ['1,2,3,4'],
    [{}],
    [{ length: 0 }],
    [0],
    [''],
    [false],
  ])('is a box that is not four numbers: %j', (bbox) => expect(findFault({ bbox })).toBe('BAD_BOX'));

  it.each([[[1, 2, -1, 4]], [[1, 2, 3, -0.001]], [[1, 2, -3, 0]]])('is a box of negative size: %j', (bbox) =>
    expect(findFault({ bbox })).toBe('NEGATIVE_BOX'),
  );

  it.each<[segmentation: unknown]>([
    [TRIANGLE],
    [[TRIANGLE, null]],
    [[TRIANGLE, RLE]],
    [[[...TRIANGLE, '7']]],
    [[[TRIANGLE]]],
    ['PPYo1'],
    [''],
    [0],
    [true],
    [{}],
    [{ size: [480, 640] }],
    [{ counts: [1] }],
    [{ ...RLE, size: [480] }],
    [{ ...RLE, size: [480, 640, 3] }],
    [{ ...RLE, size: ['480', 640] }],
    [{ ...RLE, size: null }],
    [{ ...RLE, counts: null }],
    [{ ...RLE, counts: 5 }],
    [{ ...RLE, counts: [1, null] }],
    [{ ...RLE, counts: { 0: 1 } }],
  ])('is a segmentation that is neither polygons nor run lengths: %j', (segmentation) => {
    expect(findFault({ segmentation })).toBe('BAD_SEGMENTATION');
  });

  it('of the box is told before that of the segmentation', () => {
    expect(findFault({ bbox: [1], segmentation: 7 })).toBe('BAD_BOX');
    expect(findFault({ bbox: [0, 0, -1, 1], segmentation: 7 })).toBe('NEGATIVE_BOX');
  });
});

describe('dirt', () => {
  it.each<[dirt: string[], annotation: Record<string, unknown>]>([
    [['zero_size_box'], { bbox: [1, 2, 0, 4] }],
    [['zero_size_box'], { bbox: [1, 2, 3, 0] }],
    [['zero_size_box'], { bbox: [0, 0, -0, -0] }],
    [[], { bbox: [0, 0, 5e-324, 5e-324] }],
    [['short_polygon'], { segmentation: [[]] }],
    [['short_polygon'], { segmentation: [TRIANGLE, [1, 2, 3, 4]] }],
    [['odd_polygon'], { segmentation: [[...TRIANGLE, 7], TRIANGLE] }],
    [['short_polygon', 'odd_polygon'], { segmentation: [[1, 2, 3, 4, 5]] }],
    [
      ['short_polygon', 'odd_polygon'],
      {
        segmentation: [
          [1, 2],
          [...TRIANGLE, 7],
        ],
      },
    ],
    [['zero_size_box', 'short_polygon', 'odd_polygon'], { bbox: [0, 0, 0, 0], segmentation: [[1]] }],
  ])('%j is found, each kind once, and is no fault: %j', (dirt, annotation) => {
    expect(findDirt(annotation)).toEqual(dirt);
    expect(findFault(annotation)).toBeNull();
  });
});
