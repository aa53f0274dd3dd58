/**
 * Every error that the service can send. The filter answers from this table and the documentation is made from it.
 * A `code` is status × 100 + n and never changes once published; `{name}` in a message is filled from the error.
 */
export const ERRORS = {
  // 400: the request itself
  MALFORMED_JSON: { code: 40001, zh: '请求体不是合法的 JSON', en: 'The body is not valid JSON' },
  SAME_TASK: {
    code: 40002,
    zh: 'task_id 不能与 task_id_old 相同',
    en: 'task_id must differ from task_id_old',
  },
  BODY_NOT_AN_OBJECT: { code: 40003, zh: '请求体必须是 JSON 对象', en: 'The body must be a JSON object' },
  UNKNOWN_PROPERTY: { code: 40004, zh: '{member} 是未知的属性', en: '{member} is not a known property' },
  NOT_A_TASK_ID: {
    code: 40005,
    zh: '{member} 必须是 19 位数字的字符串',
    en: '{member} must be a string of 19 digits',
  },
  NOT_AN_IMAGE_ID: {
    code: 40006,
    zh: '{member} 必须是 19 位数字的字符串',
    en: '{member} must be a string of 19 digits',
  },
  NOT_A_NAME: {
    code: 40007,
    zh: '{member} 必须是 1 到 200 个字符的字符串',
    en: '{member} must be a string of 1 to 200 characters',
  },
  NOT_A_TASK_TYPE: { code: 40008, zh: '{member} 必须是 1、2 或 3', en: '{member} must be 1, 2 or 3' },
  NOT_A_LIMIT: {
    code: 40009,
    zh: '{member} 必须是 1 到 1000 的整数',
    en: '{member} must be a whole number from 1 to 1000',
  },
  NOT_A_CURSOR: {
    code: 40010,
    zh: '{member} 不是上一页返回的 next_cursor',
    en: '{member} is not a next_cursor of an earlier page',
  },
  NOT_A_SEARCH: {
    code: 40011,
    zh: '{member} 必须是最多 200 个字符的字符串',
    en: '{member} must be a string of at most 200 characters',
  },
  BAD_REQUEST: { code: 40012, zh: '请求格式不正确', en: 'The request is malformed' },
  INCOMPLETE_BODY: { code: 40013, zh: '请求体不完整', en: 'The body is incomplete' },
  MALFORMED_FILE: {
    code: 40014,
    zh: '文件不是合法的 JSON：第 {line} 行第 {column} 列（字节 {offset}）',
    en: 'The file is not valid JSON: line {line}, column {column} (byte {offset})',
  },
  NOT_ANNOTATIONS: {
    code: 40015,
    zh: '{member} 必须是标注的数组',
    en: '{member} must be a list of annotations',
  },
  NOT_AN_ANNOTATION: { code: 40016, zh: '{member} 必须是 JSON 对象', en: '{member} must be a JSON object' },
  NOT_A_LABEL_CLASS_ID: { code: 40017, zh: '{member} 必须是整数', en: '{member} must be a whole number' },
  NOT_A_MONGO_ID: {
    code: 40018,
    zh: '{member} 必须是 24 位十六进制数字的字符串或 null',
    en: '{member} must be a string of 24 hexadecimal digits or null',
  },
  BAD_BOX: { code: 40019, zh: '{member} 必须是四个数字', en: '{member} must be four numbers' },
  NEGATIVE_BOX: {
    code: 40020,
    zh: '{member} 的宽或高是负数',
    en: '{member} has a negative width or height',
  },
  BAD_SEGMENTATION: {
    code: 40021,
    zh: '{member} 必须是多边形或 RLE',
    en: '{member} must be polygons or RLE',
  },
  BAD_NUMBER: {
    code: 40022,
    zh: '{member} 含有超过 ±2^53 的整数或过大的数',
    en: '{member} holds an integer beyond ±2^53 or a number that is too large',
  },
  BAD_TEXT: {
    code: 40023,
    zh: '{member} 的字符串含有 NUL 或不完整的代理对',
    en: '{member} holds a text with a NUL or half of a surrogate pair',
  },
  TOO_DEEP: {
    code: 40024,
    zh: '{member} 嵌套超过 100 层',
    en: '{member} is nested more than 100 levels deep',
  },

  // 404
  SOURCE_NOT_FOUND: {
    code: 40401,
    zh: '要复制的任务 {id} 不存在',
    en: 'Task {id}, the one to copy, does not exist',
  },
  TASK_NOT_FOUND: { code: 40402, zh: '任务 {id} 不存在', en: 'Task {id} does not exist' },
  IMAGE_NOT_FOUND: {
    code: 40403,
    zh: '任务 {id} 中没有图片 {image}',
    en: 'Task {id} has no image {image}',
  },
  NOT_A_COPY: {
    code: 40404,
    zh: '任务 {id} 不是由复制得到的',
    en: 'Task {id} is no copy of another task',
  },
  ROUTE_NOT_FOUND: { code: 40405, zh: '接口 {path} 不存在', en: 'There is nothing at {path}' },
  IMPORT_TARGET_NOT_FOUND: {
    code: 40406,
    zh: '任务 {id} 不存在；要在导入时创建它，请给出 task_type',
    en: 'Task {id} does not exist; give task_type to create it by this import',
  },

  METHOD_NOT_ALLOWED: {
    code: 40501,
    zh: '此接口只支持 {allowed}',
    en: 'Only {allowed} is possible here',
  },
  REQUEST_TIMEOUT: { code: 40801, zh: '请求数据中断过久', en: 'No data came for too long' },

  // 409: the state of the task
  TARGET_NOT_EMPTY: {
    code: 40901,
    zh: '目标任务 {id} 已有内容',
    en: 'Task {id}, the one to fill, is not empty',
  },
  TASK_TYPES_DIFFER: {
    code: 40902,
    zh: '任务 {id} 的类型是 {actual}，不是 {wanted}',
    en: 'Task {id} is of type {actual}, not {wanted}',
  },
  COPY_OF_ANOTHER_TASK: {
    code: 40903,
    zh: '目标任务 {id} 已由任务 {source} 复制而来',
    en: 'Task {id} is already a copy of task {source}',
  },
  TASK_BUSY: {
    code: 40904,
    zh: '任务 {id} 正在被写入，请稍后重试',
    en: 'Task {id} is being written, try again later',
    retryAfterS: 2,
  },
  TASK_EXISTS: { code: 40905, zh: '任务 {id} 已存在', en: 'Task {id} exists already' },
  ANNOTATIONS_CHANGED: {
    code: 40907,
    zh: '图片 {image} 的标注已被修改，当前的 mongo_id 是 {current}',
    en: 'The annotations of image {image} have changed, its mongo_id is {current} now',
  },
  IMPORT_TARGET_NOT_EMPTY: {
    code: 40906,
    zh: '任务 {id} 已有内容，不能导入',
    en: 'Task {id} is not empty, nothing can be imported into it',
  },

  BODY_TOO_LARGE: { code: 41301, zh: '请求体超过 {max} 字节', en: 'The body is over {max} bytes' },
  DOCUMENT_TOO_LARGE: {
    code: 41302,
    zh: '标注超过 15 MB（BSON）',
    en: 'The annotations are over 15 MB as BSON',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    code: 41501,
    zh: 'Content-Type 必须是 {types}',
    en: 'The Content-Type must be {types}',
  },
  UNSUPPORTED_ENCODING: {
    code: 41502,
    zh: '不支持此请求体的压缩方式或字符集',
    en: 'The compression or the character set of the body is not supported',
  },

  // 422: a file that is JSON but no data set that can be stored
  NOT_A_DATA_SET: {
    code: 42201,
    zh: '文件不是 COCO 数据集：{detail}',
    en: 'The file is no COCO data set: {detail}',
  },
  FAULTY_DATA_SET: {
    code: 42202,
    zh: '数据集有 {count} 处错误：{faults}',
    en: 'Faults in the data set ({count}): {faults}',
  },

  BROKEN_SOURCE: {
    code: 42203,
    zh: '任务 {id} 的标注数据已损坏，无法复制：{faults}',
    en: 'The annotations of task {id} are broken, it cannot be copied: {faults}',
  },
  UNKNOWN_LABEL_CLASS: {
    code: 42204,
    zh: '{member} 不是任务 {id} 的标签类别',
    en: '{member} is no label class of task {id}',
  },

  HEADERS_TOO_LARGE: { code: 43101, zh: '请求头过大', en: 'The request headers are too large' },

  INTERNAL: {
    code: 50001,
    zh: '服务内部错误，请求编号 {requestId}',
    en: 'Something went wrong in the service, request id {requestId}',
  },
  DATABASE_AWAY: {
    code: 50301,
    zh: '数据库暂时不可用，请稍后重试',
    en: 'The database is not available at the moment, try again later',
    retryAfterS: 5,
  },
  TOO_MANY_COPIES: {
    code: 50303,
    zh: '正在进行的复制和导入过多，请稍后重试',
    en: 'Too many duplications and imports are running, try again later',
    retryAfterS: 5,
  },
  OUTCOME_UNKNOWN: {
    code: 50304,
    zh: '与数据库的连接中断，任务 {id} 的写入结果未知，请重试相同的请求',
    en: 'The connection to the database was lost, whether task {id} was written is not known: repeat the same request',
    retryAfterS: 5,
  },
  DOCUMENT_ID_TAKEN: {
    code: 50305,
    zh: '预留的标注文档编号已被占用，请重试相同的请求',
    en: 'A document id that was reserved is taken already: repeat the same request',
    retryAfterS: 1,
  },
  SHUTTING_DOWN: {
    code: 50302,
    zh: '服务正在停止，请稍后重试',
    en: 'The service is shutting down, try again later',
    retryAfterS: 5,
  },
} as const satisfies Record<string, ErrorEntry>;

export interface LocalText {
  readonly zh: string;
  readonly en: string;
}

export interface ErrorEntry extends LocalText {
  readonly code: number;
  /** Only for what is worth repeating: the seconds of the `Retry-After` header. */
  readonly retryAfterS?: number;
}

export type ErrorName = keyof typeof ERRORS;
export type Language = 'zh' | 'en';
export type ErrorDetails = Readonly<Record<string, string | number | LocalText>>;

export function statusOf(name: ErrorName): number {
  return Math.floor(ERRORS[name].code / 100);
}

export function messageOf(name: ErrorName, details: ErrorDetails, language: Language): string {
  return ERRORS[name][language].replace(/\{(\w+)\}/g, (_, key: string) => {
    const detail = details[key] ?? '';
    return typeof detail === 'object' ? detail[language] : String(detail);
  });
}
