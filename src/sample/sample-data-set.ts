/** The id in the specification's example request. */
export const SAMPLE_TASK_ID = '2018102439652891014';
/** The task that the specification's example copies it into. */
export const SAMPLE_COPY_ID = '2018102439652891056';

const IMAGES = 36;
const [WIDTH, HEIGHT] = [2000, 1000];
const STATES = ['已标注', '已训练', '已测试', null] as const;
const CLASSES = [
  { name: '划痕', color: '#e6194b' },
  { name: '凹坑', color: '#3cb44b' },
  { name: '锈斑', color: '#4363d8' },
  { name: '裂纹', color: '#f58231' },
];

/**
 * A small COCO data set with all that a task may hold: every set type and state, images with and without ROI and
 * annotations, gaps in the order, boxes, polygons and run lengths, members that the service does not know.
 */
export function sampleDataSet(): object {
  const images = Array.from({ length: IMAGES }, (_, at) => sampleImage(at));
  const annotated = images.filter(({ state }) => state !== null);
  return {
    info: { description: 'sample task', version: '1.0' },
    categories: CLASSES.map((category, at) => ({ id: at + 1, supercategory: '缺陷', ...category })),
    images,
    annotations: annotated
      .flatMap(({ id }) => sampleAnnotations(id))
      .map((annotation, at) => ({ id: at + 1, ...annotation })),
  };
}

function sampleImage(at: number) {
  return {
    id: at + 1,
    file_name: `sample-${String(at + 1).padStart(3, '0')}.jpg`,
    width: WIDTH,
    height: HEIGHT,
    set_type: at % 3,
    state: STATES[at % STATES.length] ?? null,
    roi: at % 3 === 2 ? null : [100 + at, 50 + at, 1200, 800],
    // Every fifth place is left out: the copy closes such gaps.
    order_id: at + 1 + Math.floor(at / 4),
    camera: `line-${String((at % 2) + 1)}`,
  };
}

function sampleAnnotations(image: number) {
  const shapes = [boxOf, polygonOf, runLengthsOf];
  // From none to three: an image may be looked at and hold nothing.
  return Array.from({ length: image % 4 }, (_, at) => ({
    image_id: image,
    category_id: ((image + at) % CLASSES.length) + 1,
    ...shapes[(image + at) % shapes.length]!(image, at), // an index within the list
    iscrowd: 0,
  }));
}

function boxOf(image: number, at: number): object {
  return { bbox: [100 + 10 * image, 100 + 60 * at, 120.5, 40], area: 4820, score: 0.75 };
}

function polygonOf(image: number, at: number): object {
  const [x, y] = [200 + 10 * image, 300 + 60 * at];
  return { bbox: [x, y, 90, 45], segmentation: [[x, y, x + 90, y, x + 45, y + 45]], area: 2025 };
}

function runLengthsOf(image: number, at: number): object {
  const start = 1000 * image + at;
  return {
    segmentation: { size: [HEIGHT, WIDTH], counts: [start, 50, HEIGHT * WIDTH - start - 50] },
    area: 50,
  };
}
