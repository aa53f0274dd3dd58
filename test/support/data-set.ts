export interface CocoDataSet {
  info?: unknown;
  licenses?: unknown;
  images: Record<string, unknown>[];
  categories: Record<string, unknown>[];
  annotations: Record<string, unknown>[];
}

/** A small clean data set: `images` images with two annotations each, of two classes in turn. */
export function aDataSet({ images = 3, classes = 2, annotationsEach = 2 } = {}): CocoDataSet {
  return {
    images: range(images).map((at) => ({
      id: at,
      file_name: `image-${String(at)}.jpg`,
      width: 640,
      height: 480,
    })),
    categories: range(classes).map((at) => ({ id: at, name: `class ${String(at)}` })),
    annotations: range(images * annotationsEach).map((at) => ({
      id: at,
      image_id: 1 + ((at - 1) % images),
      category_id: 1 + ((at - 1) % classes),
      bbox: [at, at, 10, 20.5],
    })),
  };
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at + 1);
}
