import { randomFrom } from './random';

/**
 * A COCO file like TACO's (http://tacodataset.org), of any size and always the same: 60 classes, 3.2 annotations an image in
 * the mean, polygons of which two thirds are doubles, the rest whole numbers. A double is 561.5 and not
 * TACO's 561.0, which an import by JSON.parse() would make a whole number of.
 */
export interface DataSet {
  readonly images: number;
  readonly annotations: number;
  /** Written piece by piece: a million images are a gigabyte and a half. */
  readonly text: () => Generator<string>;
}

const CLASSES = 60;
const PIECE_CHARS = 64 * 1_024;

/** Of 1,500 images of TACO, how many have 1, 2, 3 … annotations; those with more than 30 count as 30 and a bit oftener. */
const ANNOTATIONS = [
  610, 359, 179, 98, 62, 39, 31, 23, 21, 12, 9, 7, 8, 7, 4, 1, 6, 2, 0, 5, 1, 1, 0, 2, 2, 1, 1, 1, 1, 10,
];
const TACO_IMAGES = 1_503;
/** And how large they are, the most frequent sizes. */
const SIZES = [
  [2448, 3264],
  [3264, 2448],
  [3024, 4032],
  [1824, 4000],
  [3120, 4160],
] as const;
const WITH_ROI = 0.75;
const IN_DOUBLES = 0.68;
/** A polygon has at least these, and most have few more. */
const CORNERS_MIN = 5;
const CORNERS_MORE = 27;

export function dataSet(images: number): DataSet {
  let annotations = 0;
  for (let image = 1; image <= images; image++) annotations += annotationsOf(randomFrom(image)());
  return { images, annotations, text: () => inPieces(lines(images)) };
}

function* lines(images: number): Generator<string> {
  yield '{"info":{"description":"generated, shaped like TACO"},"categories":[';
  for (let id = 1; id <= CLASSES; id++) yield `${comma(id)}{"id":${id},"name":"litter of kind ${id}"}`;
  yield '],"images":[';
  for (let id = 1; id <= images; id++) yield comma(id) + imageText(id);
  yield '],"annotations":[';
  let annotation = 0;
  for (let image = 1; image <= images; image++) {
    const random = randomFrom(image);
    for (let left = annotationsOf(random()); left > 0; left--) {
      yield comma(++annotation) + annotationText(annotation, image, random);
    }
  }
  yield ']}';
}

function comma(position: number): string {
  return position === 1 ? '' : ',';
}

function imageText(id: number): string {
  const [width, height] = sizeOf(id);
  const random = randomFrom(-id);
  const roi =
    random() < WITH_ROI
      ? `,"roi":[${below(width / 4, random)},${below(height / 4, random)},${width >> 1},${height >> 1}]`
      : '';
  const name = `batch_${1 + Math.floor(id / 1_000)}/${String(id % 1_000).padStart(6, '0')}.jpg`;
  return `{"id":${id},"file_name":"${name}","width":${width},"height":${height}${roi}}`;
}

function annotationText(id: number, image: number, random: () => number): string {
  const write = random() < IN_DOUBLES ? (value: number) => `${value}.5` : String;
  // The frequent classes are the first ones.
  const category = 1 + Math.floor(CLASSES * random() ** 2);
  const corners = CORNERS_MIN + Math.floor(CORNERS_MORE * random() ** 1.5);
  const [width, height] = sizeOf(image);
  const radius = 40 + below(width / 8, random);
  const [x, y] = [radius + below(width - 2 * radius, random), radius + below(height - 2 * radius, random)];
  let polygon = '';
  for (let corner = 0; corner < corners; corner++) {
    const angle = (2 * Math.PI * corner) / corners;
    const reach = radius * (0.5 + random() / 2);
    const at = [x + reach * Math.cos(angle), y + reach * Math.sin(angle)];
    polygon += (corner === 0 ? '' : ',') + at.map((value) => write(Math.floor(value))).join(',');
  }
  const bbox = [x - radius, y - radius, 2 * radius, 2 * radius].map((value) => value.toFixed(1)).join(',');
  const area = (radius * radius + 0.5).toFixed(1);
  return `{"id":${id},"image_id":${image},"category_id":${category},"segmentation":[[${polygon}]],"area":${area},"bbox":[${bbox}],"iscrowd":0}`;
}

function sizeOf(image: number): readonly [width: number, height: number] {
  return SIZES[image % SIZES.length]!; // the remainder is an index
}

function annotationsOf(quantile: number): number {
  let images = quantile * TACO_IMAGES;
  const at = ANNOTATIONS.findIndex((count) => (images -= count) < 0);
  return at === -1 ? ANNOTATIONS.length : at + 1;
}

function below(limit: number, random: () => number): number {
  return Math.floor(limit * random());
}

function* inPieces(texts: Generator<string>): Generator<string> {
  let piece = '';
  for (const text of texts) {
    piece += text;
    if (piece.length < PIECE_CHARS) continue;
    yield piece;
    piece = '';
  }
  yield piece;
}
