import type { LocalText } from '../errors/errors';

/** How many of each kind are named. */
export const EXAMPLES_MAX = 5;

const KINDS = {
  /** The image points to a document that is not there, or not in this task. */
  missing: {
    zh: '{count} 张图片的标注文档不存在（图片 {images}）',
    en: '{count} images whose document is gone (image {images})',
  },
  /** Its `img_id` is another image's, or its `img_roi_id` no ROI of the task. */
  foreign: {
    zh: '{count} 个标注文档属于其他图片或 ROI（图片 {images}）',
    en: '{count} documents of another image or ROI (image {images})',
  },
  /** An annotation's `lab_class_id` is no class of the task. */
  unknown_class: {
    zh: '{count} 个标注文档含有不属于该任务的标签类别（图片 {images}）',
    en: '{count} documents with a label class of another task (image {images})',
  },
} as const;

export type DocumentFaultKind = keyof typeof KINDS;

/** What is wrong with the documents of some images. */
export interface DocumentFault {
  readonly kind: DocumentFaultKind;
  readonly count: number;
  /** The ids of the first few images by `order_id`. */
  readonly images: readonly string[];
}

/** The faults in words. */
export function describeFaults(faults: readonly DocumentFault[]): LocalText {
  return {
    zh: faults.map((fault) => describe(fault, 'zh')).join('；'),
    en: faults.map((fault) => describe(fault, 'en')).join('; '),
  };
}

function describe({ kind, count, images }: DocumentFault, language: keyof LocalText): string {
  const more = count > images.length ? ', …' : '';
  return KINDS[kind][language]
    .replace('{count}', String(count))
    .replace('{images}', images.join(', ') + more);
}
