import type { CocoDataSet } from './data-set';

interface Dirt {
  readonly code: string;
  readonly count: number;
}

/**
 * A data set as it comes out of real tools, and like TACO in its dirt: ids from 0 on, the same annotation id twice, unused
 * categories, two of one name, boxes without area, polygons of two points, of an odd number of coordinates and of none,
 * members from elsewhere, nulls, doubles of many digits, and annotations in no order.
 * @returns the data set and what an import has to say about it
 */
export function aDirtyDataSet(images = 60): { dataSet: CocoDataSet & Record<string, unknown>; dirt: Dirt[] } {
  const annotations = times(3 * images, (at) => ({
    id: at % 20 === 19 ? at - 1 : at,
    image_id: (at * 7) % images,
    category_id: (at * 3) % 8,
    segmentation: SEGMENTATIONS[at % SEGMENTATIONS.length],
    area: at % 10 === 0 ? 0 : 1000 / (at + 1),
    bbox: at % 12 === 0 ? [at, 20.5, 0, 7] : [at + 0.1, 517.0000000000001, 127, 1e-7],
    iscrowd: 0,
    ...(at % 5 === 0 && { attributes: { occluded: at % 2 === 0, '\u2028': '𠮷' } }),
  }));
  const dataSet = {
    info: { year: 2019, version: null, description: 'Trash', contributor: '', url: null },
    images: times(images, (id) => ({
      id,
      width: 1537 + id,
      height: 2049,
      file_name: `batch_${String(1 + (id % 9))}/0000${String(id)}.JPG`,
      license: null,
      flickr_url: `https://example.org/65535/33978196618_${String(id)}_o.png`,
      coco_url: null,
      date_captured: null,
    })),
    annotations: [...annotations.slice(images), ...annotations.slice(0, images)],
    scene_annotations: [{ image_id: 0, background_ids: [1] }],
    licenses: [],
    categories: times(10, (id) => ({
      supercategory: 'Bottle',
      id,
      name: id === 9 ? 'class 8' : `class ${String(id)}`,
    })),
    scene_categories: [],
  };
  const kept = (passes: (annotation: (typeof annotations)[number], at: number) => boolean) =>
    annotations.filter(passes).length;
  const dirt = [
    { code: 'annotation_id_zero', count: 1 },
    { code: 'category_id_zero', count: 1 },
    { code: 'duplicate_annotation_id', count: kept((_, at) => at % 20 === 19) },
    { code: 'duplicate_category_name', count: 1 },
    { code: 'image_id_zero', count: 1 },
    { code: 'odd_polygon', count: kept(({ segmentation }) => segmentation === ODD) },
    {
      code: 'short_polygon',
      count: kept(({ segmentation }) => segmentation === SHORT || segmentation === ODD),
    },
    { code: 'top_level_member_left_out', count: 2 },
    { code: 'unused_category', count: 2 },
    { code: 'zero_size_box', count: kept(({ bbox }) => bbox[2] === 0) },
  ];
  return { dataSet, dirt };
}

const SHORT = [[561, 1238, 568, 1201]];
const ODD = [[561, 1238, 568]];
const SEGMENTATIONS: readonly unknown[] = [
  [[561, 1238, 568, 1201, 567.5, 1175.25]],
  [
    [1, 2, 3, 4, 5, 6],
    [7, 8, 9, 10, 11, 12],
  ],
  SHORT,
  [],
  ODD,
  null,
  { size: [2049, 1537], counts: [0, 50, 3149263] },
  { size: [2049, 1537], counts: 'PPYo1\\`0"' },
];

function times<T>(count: number, make: (at: number) => T): T[] {
  return Array.from({ length: count }, (_, at) => make(at));
}
