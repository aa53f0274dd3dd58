import type { LocalText } from '../errors/errors';
import type { JsonProblem } from '../labeled-images/json-measure';

/** What is wrong with an element of a data set; each is shown by where it stands. */
const FAULTS = {
  BAD_IMAGE_ID: { zh: '{at}：id 必须是整数或非空字符串', en: '{at}: id must be an integer or a text' },
  BAD_CATEGORY_ID: { zh: '{at}：id 必须是整数或非空字符串', en: '{at}: id must be an integer or a text' },
  DUPLICATE_IMAGE_ID: { zh: '多张图片的 id 都是 {at}', en: 'several images have the id {at}' },
  DUPLICATE_CATEGORY_ID: { zh: '多个类别的 id 都是 {at}', en: 'several categories have the id {at}' },
  BAD_FILE_NAME: {
    zh: '{at}：file_name 必须是 1 到 1024 个字符的字符串',
    en: '{at}: file_name must be a text of 1 to 1024 characters',
  },
  BAD_IMAGE_SIZE: {
    zh: '{at}：width 和 height 必须是正整数',
    en: '{at}: width and height must be positive whole numbers',
  },
  BAD_SET_TYPE: { zh: '{at}：set_type 必须是 0、1 或 2', en: '{at}: set_type must be 0, 1 or 2' },
  BAD_STATE: {
    zh: '{at}：state 必须是 已标注、已训练、已测试 或 null',
    en: '{at}: state must be 已标注, 已训练, 已测试 or null',
  },
  BAD_ROI: {
    zh: '{at}：roi 必须是图片内的 [x, y, width, height]（整数像素）',
    en: '{at}: roi must be [x, y, width, height] in whole pixels, inside the image',
  },
  BAD_ORDER_ID: {
    zh: '{at}：order_id 必须是 1 到 2147483647 的整数',
    en: '{at}: order_id must be a whole number from 1 to 2147483647',
  },
  ORDER_ID_ON_SOME: {
    zh: '{at}：没有 order_id，而其他图片有',
    en: '{at}: has no order_id, while other images have one',
  },
  DUPLICATE_ORDER_ID: { zh: '多张图片的 order_id 都是 {at}', en: 'several images have the order_id {at}' },
  BAD_CATEGORY_NAME: {
    zh: '{at}：name 必须是 1 到 200 个字符的字符串',
    en: '{at}: name must be a text of 1 to 200 characters',
  },
  BAD_COLOR: { zh: '{at}：color 必须形如 #rrggbb', en: '{at}: color must have the form #rrggbb' },
  UNKNOWN_IMAGE: { zh: '{at}：image_id 不是任何图片的 id', en: '{at}: image_id is the id of no image' },
  UNKNOWN_CATEGORY: {
    zh: '{at}：category_id 不是任何类别的 id',
    en: '{at}: category_id is the id of no category',
  },
  BAD_BOX: { zh: '{at}：bbox 必须是四个数字', en: '{at}: bbox must be four numbers' },
  NEGATIVE_BOX: { zh: '{at}：bbox 的宽或高是负数', en: '{at}: bbox has a negative width or height' },
  BAD_SEGMENTATION: {
    zh: '{at}：segmentation 必须是多边形或 RLE',
    en: '{at}: segmentation must be polygons or RLE',
  },
  BAD_NUMBER: {
    zh: '{at}：含有超过 ±2^53 的整数或过大的数',
    en: '{at}: holds an integer beyond ±2^53 or a number that is too large',
  },
  BAD_TEXT: {
    zh: '{at}：字符串含有 NUL 或不完整的代理对',
    en: '{at}: holds a text with a NUL or half of a surrogate pair',
  },
  TOO_DEEP: { zh: '{at}：嵌套超过 100 层', en: '{at}: is nested more than 100 levels deep' },
  EXTRA_TOO_LARGE: {
    zh: '{at}：未知成员超过 1 MB',
    en: '{at}: the members that the service does not know are over 1 MB',
  },
  DOCUMENT_TOO_LARGE: {
    zh: '{at}：标注超过 15 MB（BSON）',
    en: '{at}: the annotations are over 15 MB as BSON',
  },
} as const satisfies Record<string, LocalText>;

export type DataSetFault = keyof typeof FAULTS;

export function describeFault(fault: DataSetFault, at: string): LocalText {
  return placeIn(FAULTS[fault], at);
}

/** Fills the place into a text: by a function, because a place may hold what `replace` takes for a pattern. */
export function placeIn({ zh, en }: LocalText, at: string): LocalText {
  return { zh: zh.replace('{at}', () => at), en: en.replace('{at}', () => at) };
}

/** What can't be stored, by what is wrong with it. */
export const PROBLEM_FAULTS = {
  number: 'BAD_NUMBER',
  text: 'BAD_TEXT',
  depth: 'TOO_DEEP',
} as const satisfies Record<JsonProblem, DataSetFault>;
