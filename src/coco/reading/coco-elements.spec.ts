import { ApiError } from '../../errors/api-error';
import { messageOf } from '../../errors/errors';
import { readAnnotation as readPrepared, readCategory, readImage, type CocoElement } from './coco-elements';
import { ImportReport } from '../import-report';

/** What a store makes of it is not looked at here. */
const readAnnotation = (...[element, index, report]: Parameters<Read>) =>
  readPrepared(element, index, report, { prepare: (rest) => rest });

type Read = (element: CocoElement, index: number, report: ImportReport) => unknown;

/** The seventh element of its array, and what is said about it, in English. */
function read<Made>(
  reader: (element: CocoElement, index: number, report: ImportReport) => Made,
  element: CocoElement,
) {
  const report = new ImportReport();
  const made = reader(element, 7, report);
  const warnings = report.warnings.map(({ code, examples }) => `${code}: ${examples.join()}`);
  return { made, warnings, faults: faultsOf(report) };
}

function faultsOf(report: ImportReport): string {
  try {
    report.throwFaults();
    return '';
  } catch (thrown) {
    if (!(thrown instanceof ApiError)) throw thrown;
    return messageOf(thrown.errorName, thrown.details, 'en');
  }
}

function expectFault(reader: Read, element: CocoElement, text: string): void {
  expect(read(reader, element)).toEqual({
    made: null,
    warnings: [],
    faults: expect.stringContaining(`(1): ${text}`) as string,
  });
}

const image = { id: 3, file_name: 'a.jpg', width: 640, height: 480 };
const category = { id: 3, name: 'scratch' };
const annotation = { id: 3, image_id: 1, category_id: 2 };

const lists = (levels: number): unknown => (levels === 1 ? [] : [lists(levels - 1)]);

describe('an image', () => {
  it('without any extension has the defaults', () => {
    expect(read(readImage, image)).toEqual({
      made: {
        key: '3',
        name: 'a.jpg',
        width: 640,
        height: 480,
        setType: 0,
        state: null,
        orderId: null,
        roi: null,
        extra: null,
      },
      warnings: [],
      faults: '',
    });
  });

  it('keeps what it says, and what the service does not know in its order; not the id of an export', () => {
    const { made } = read(readImage, {
      license: 2,
      ...image,
      img_id: '2018102439652891014',
      set_type: 2,
      state: '已训练',
      roi: [0, 0, 640, 480],
      order_id: 2147483647,
      coco_url: null,
      category_id: 5,
    });
    expect(made).toMatchObject({
      setType: 2,
      state: '已训练',
      roi: [0, 0, 640, 480],
      orderId: 2147483647,
      extra: '{"license":2,"coco_url":null,"category_id":5}',
    });
  });

  it.each<[fault: string, members: Record<string, unknown>]>([
    ['file_name must', { file_name: '' }],
    ['file_name must', { file_name: undefined }],
    ['file_name must', { file_name: '\ud83d' }],
    ['width and height must', { width: 0 }],
    ['width and height must', { height: 2 ** 31 }],
    ['width and height must', { width: '640' }],
    ['set_type must', { set_type: 3 }],
    ['set_type must', { set_type: null }],
    ['state must', { state: '未标注' }],
    ['order_id must', { order_id: 0 }],
    ['order_id must', { order_id: null }],
    ['order_id must', { order_id: 2 ** 31 }],
    ['holds an integer beyond', { unknown: [2 ** 53] }],
    ['holds a text with a NUL', { unknown: '\0' }],
    ['is nested more than', { unknown: lists(100) }],
  ])('is refused by its place and id: %s … (%#)', (fault, members) => {
    expectFault(readImage, { ...image, ...members }, `images[7] (id 3): ${fault}`);
  });

  it.each([
    [[0, 0, 640]],
    [[0, 0, 640, 480, 1]],
    [[1, 0, 640, 480]],
    [[0, 1, 640, 480]],
    [[-1, 0, 1, 1]],
    [[0, 0, 0, 1]],
    [[0, 0, 1, 0]],
    [[0, 0, 1, 0.5]],
    [[0, 0, '1', 1]],
    ['0,0,1,1'],
    [{}],
  ])('with the ROI %j is refused', (roi) => {
    expectFault(readImage, { ...image, roi }, 'images[7] (id 3): roi must');
  });

  it.each([[null], [[639, 479, 1, 1]], [[0, 0, 640, 480]]])('may have the ROI %j', (roi) => {
    expect(read(readImage, { ...image, roi }).made).toMatchObject({ roi });
  });

  it('without a size is refused for that, and not for its ROI too', () => {
    expectFault(readImage, { ...image, width: null, roi: [0, 0, 9, 9] }, 'images[7] (id 3): width and');
  });

  it('is refused for everything that is wrong with it', () => {
    const { faults } = read(readImage, { id: null, file_name: 7, width: -1, height: 1, set_type: 'x' });
    expect(faults).toContain('(4): images[7]: id must');
    expect(faults).toMatch(/file_name.*width.*set_type/);
  });
});

describe('an id', () => {
  it.each<[id: unknown, key: string]>([
    [1, '1'],
    ['1', '"1"'],
    [-5, '-5'],
    [Number.MAX_SAFE_INTEGER, '9007199254740991'],
    ['a "b"\n', String.raw`"a \"b\"\n"`],
    ['𠮷'.repeat(1024), `"${'𠮷'.repeat(1024)}"`],
  ])('%j is told from others by its JSON', (id, key) => {
    expect(read(readImage, { ...image, id }).made).toMatchObject({ key });
    expect(read(readCategory, { ...category, id }).made).toMatchObject({ key });
    expect(read(readAnnotation, { id, image_id: id, category_id: id }).made).toMatchObject({
      key: typeof id === 'number' ? id : key,
      imageKey: key,
      categoryKey: key,
    });
  });

  it.each<[id: unknown]>([
    [undefined],
    [null],
    [''],
    [0.5],
    [2 ** 53],
    [Infinity],
    [true],
    [[1]],
    [{}],
    ['a\0'],
    ['\udc00'],
    ['x'.repeat(1025)],
  ])('%j is none, but only an annotation may go without', (id) => {
    expectFault(readImage, { ...image, id }, 'images[7]: id must');
    expectFault(readCategory, { ...category, id }, 'categories[7]: id must');
    expectFault(readAnnotation, { ...annotation, image_id: id }, 'annotations[7] (id 3): image_id is');
    expectFault(readAnnotation, { ...annotation, category_id: id }, 'annotations[7] (id 3): category_id is');
    expect(read(readAnnotation, { ...annotation, id })).toMatchObject({
      made: { key: null },
      warnings: ['annotation_without_id: annotations[7]'],
    });
  });

  it('of 0 is kept, with a warning for each array, and -0 is the same one', () => {
    for (const id of [0, -0]) {
      const read0 = <Made>(reader: (...args: Parameters<Read>) => Made, element: object) =>
        read(reader, { ...element, id });
      expect(read0(readImage, image)).toMatchObject({
        made: { key: '0' },
        warnings: ['image_id_zero: images[7] (id 0)'],
      });
      expect(read0(readCategory, category)).toMatchObject({
        made: { key: '0' },
        warnings: ['category_id_zero: categories[7] (id 0)'],
      });
      expect(read0(readAnnotation, annotation)).toMatchObject({
        made: { key: 0 },
        warnings: ['annotation_id_zero: annotations[7] (id 0)'],
      });
    }
  });
});

describe('a category', () => {
  it('keeps its colour in lower case, and what the service does not know', () => {
    expect(read(readCategory, { ...category, color: '#AAbb09', supercategory: 'x', order_id: 4 })).toEqual({
      made: { key: '3', name: 'scratch', color: '#aabb09', extra: '{"supercategory":"x","order_id":4}' },
      warnings: [],
      faults: '',
    });
    expect(read(readCategory, category).made).toMatchObject({ color: null, extra: null });
  });

  it.each<[fault: string, members: Record<string, unknown>]>([
    ['name must', { name: '' }],
    ['name must', { name: 'x'.repeat(201) }],
    ['name must', { name: 7 }],
    ['color must', { color: null }],
    ['color must', { color: '#abc' }],
    ['color must', { color: '#aabbcc\n' }],
    ['color must', { color: 'aabbcc' }],
    ['color must', { color: '#gggggg' }],
    ['is nested more than', { unknown: lists(100) }],
  ])('is refused by its place and id: %s … (%#)', (fault, members) => {
    expectFault(readCategory, { ...category, ...members }, `categories[7] (id 3): ${fault}`);
  });
});

describe('an annotation', () => {
  it('keeps all but its ids as it is, measured as BSON', () => {
    const rest = { bbox: [1, 2.5, 3, 4], '': null, segmentation: [], attributes: { z: 1, a: ['𠮷'] } };
    const { made, warnings } = read(readAnnotation, { ...annotation, ...rest });
    expect(made).toMatchObject({ imageKey: '1', categoryKey: '2' });
    expect(JSON.stringify(made?.rest)).toBe(JSON.stringify(rest));
    // By hand: https://bsonspec.org/spec.html. A type, a name and its end are 2 bytes and the name's.
    const bbox = 6 + 5 + 3 * (3 + 4) + (3 + 8);
    const attributes = 12 + 5 + (3 + 4) + (3 + 5 + (3 + 5 + 4));
    expect(made?.bsonBytes).toBe(5 + bbox + 2 + (14 + 5) + attributes);
    expect(warnings).toEqual([]);
  });

  it('cannot bring the name of its class in a document', () => {
    const { made, warnings } = read(readAnnotation, { ...annotation, lab_class_id: 777, area: 1 });
    expect(made?.rest).toEqual({ area: 1 });
    expect(warnings).toEqual(['reserved_member_left_out: annotations[7] (id 3).lab_class_id']);
  });

  it('warns of each kind of dirt by its place', () => {
    const { warnings } = read(readAnnotation, { ...annotation, bbox: [0, 0, 0, 0], segmentation: [[1]] });
    expect(warnings).toEqual(
      ['zero_size_box', 'short_polygon', 'odd_polygon'].map((code) => `${code}: annotations[7] (id 3)`),
    );
  });

  it.each<[fault: string, members: Record<string, unknown>]>([
    ['bbox must', { bbox: [1, 2, 3] }],
    ['bbox has a negative', { bbox: [1, 2, -3, 4] }],
    ['segmentation must', { segmentation: 7 }],
    ['holds an integer beyond', { area: 2 ** 53 }],
    ['holds an integer beyond', { bbox: [0, 0, 1, Infinity] }],
    ['holds a text with a NUL', { 'a\0': 1 }],
    ['holds a text with a NUL', { a: ['\ud800'] }],
    ['is nested more than 100', { deep: lists(98) }],
  ])('is refused by its place and id: %s … (%#)', (fault, members) => {
    expectFault(readAnnotation, { ...annotation, ...members }, `annotations[7] (id 3): ${fault}`);
  });

  it('may be nested as deep as a document can be: it stands in the third level of one', () => {
    expect(read(readAnnotation, { ...annotation, deep: lists(97) })).toMatchObject({ faults: '' });
  });
});
