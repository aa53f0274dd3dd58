const CLASSES = ['划痕', '凹坑', '锈斑', '裂纹'];

/** A COCO data set of so many images: every other one with a ROI, all but every fourth annotated. */
export function largeDataSet(count: number): object {
  const numbers = Array.from({ length: count }, (_, at) => at + 1);
  return {
    categories: CLASSES.map((name, at) => ({ id: at + 1, name })),
    images: numbers.map(toImage),
    annotations: numbers.filter((id) => id % 4 !== 0).map(toAnnotation),
  };
}

function toImage(id: number): object {
  const file_name = `line-${String(id).padStart(6, '0')}.jpg`;
  return { id, file_name, width: 2000, height: 1000, ...(id % 2 === 0 && { roi: [100, 50, 1200, 800] }) };
}

function toAnnotation(image: number): object {
  const x = image % 1_800;
  return {
    id: image,
    image_id: image,
    category_id: (image % CLASSES.length) + 1,
    bbox: [x, 300, 90, 45],
    segmentation: [[x, 300, x + 90, 300, x + 45, 345]],
  };
}
