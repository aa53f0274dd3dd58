import type { CocoDataSet } from '../../support/data-set';

/** Small, with one of each: images with a ROI and without, annotated, looked at and never seen, of three classes. */
export function aTaskWithEverything(images = 9): CocoDataSet {
  const numbers = Array.from({ length: images }, (_, at) => at);
  return {
    images: numbers.map((at) => ({
      id: at,
      file_name: `image-${String(at)}.jpg`,
      width: 640,
      height: 480,
      set_type: at % 3,
      order_id: 10 * (at + 1),
      camera: { serial: at },
      ...(at % 2 === 0 && { roi: [at % 400, at % 400, 100, 50] }),
      // Every third is not annotated, and one of these was looked at.
      ...(at === 2 && { state: '已测试' }),
    })),
    categories: ['螺丝', '划痕', '其他'].map((name, id) => ({ id, name })),
    annotations: numbers
      .filter((at) => at % 3 !== 2)
      .flatMap((at) => [
        { id: 2 * at, image_id: at, category_id: at % 3, bbox: [at, 1.5, 10, 20], iscrowd: 0 },
        { id: 2 * at + 1, image_id: at, category_id: 1, segmentation: [[1, 2, 3, 4, 5, at]], note: 'ß' },
      ]),
  };
}
