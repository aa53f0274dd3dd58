import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { ErrorName } from '../../src/errors/errors';
import { newTaskId } from '../support/api';
import { aDataSet } from '../support/data-set';
import { expectFailure } from '../support/failure';
import { sendPlain, type PlainAnswer, type PlainRequest } from '../support/plain-request';
import { TestApp } from '../support/test-app';

const ORIGIN = 'http://localhost:3000';
const MB = 2 ** 20;

/** A task that exists, so that nothing is wrong but the request. */
const TASK = '2018102439652891014';
const IMAGE = '2018080810000000001';
const ABSENT = '2018102439652891056';

const TASKS = '/training/tasks';
const DUPLICATION = `${TASKS}/duplication`;
const PAIR = { task_id_old: TASK, task_id: ABSENT };

interface Malformed extends PlainRequest {
  readonly title: string;
  readonly error: ErrorName;
  /** What the message names. */
  readonly details?: Readonly<Record<string, string | number>>;
  /** Methods that a 405 says are possible. */
  readonly allowed?: readonly string[];
}

/** A JSON body; `raw` where the text matters, such as that of a number beyond 2^53. */
function post(path: string, body: object | { raw: string }, method = 'POST'): PlainRequest {
  const text = 'raw' in body ? body.raw : JSON.stringify(body);
  return { method, path, headers: { 'Content-Type': 'application/json' }, body: text };
}

function patch(path: string, body: object | { raw: string }): PlainRequest {
  return post(path, body, 'PATCH');
}

function put(path: string, body: object | { raw: string }): PlainRequest {
  return post(path, body, 'PUT');
}

function get(path: string): PlainRequest {
  return { method: 'GET', path };
}

function importTo(
  path: string,
  headers: Record<string, string> = { 'Content-Type': 'application/json' },
): PlainRequest {
  return { method: 'PUT', path, headers, body: JSON.stringify(aDataSet()) };
}

/** [what it is, its JSON text] */
const BAD_IDS: [what: string, json: string][] = [
  ['a number', '2018102439652891014'],
  ['a small number', '1'],
  ['a fraction', '1.5'],
  ['a number with an exponent', '2.018102439652891e18'],
  ['an overflow', '1e400'],
  ['null', 'null'],
  ['true', 'true'],
  ['an empty list', '[]'],
  ['a list with an id', '["2018102439652891014"]'],
  ['an object', '{}'],
  ['an object like a string', '{"length":19,"toString":"2018102439652891014"}'],
  ['an empty text', '""'],
  ['a word', '"duplication"'],
  ['18 digits', '"201810243965289101"'],
  ['20 digits', '"20181024396528910140"'],
  ['a leading zero', '"0018102439652891014"'],
  ['zeros', '"0000000000000000000"'],
  ['one past int64', '"9223372036854775808"'],
  ['far past int64', '"9999999999999999999"'],
  ['a minus', '"-201810243965289101"'],
  ['a plus', '"+2018102439652891014"'],
  ['a space before', '" 2018102439652891014"'],
  ['a space behind', '"2018102439652891014 "'],
  ['a line feed behind', '"2018102439652891014\\n"'],
  ['a line feed within', '"201810243965\\n2891014"'],
  ['a NUL behind', '"2018102439652891014\\u0000"'],
  ['an exponent', '"2018102439652891e14"'],
  ['hexadecimal digits', '"0x1c01e8e3a9b2f4d6a"'],
  ['a decimal point', '"201810243965289.014"'],
  ['grouped digits', '"2_018_102_439_652_8"'],
  ['full-width digits', '"２０１８１０２４３９６５２８９１０１４"'],
  ['Arabic digits', '"٢٠١٨١٠٢٤٣٩٦٥٢٨٩١٠١٤"'],
  ['one full-width digit', '"201810243965289101４"'],
  ['an invisible space', '"2018102439652891014\\u200b"'],
  ['half a surrogate pair', '"201810243965289101\\ud800"'],
  ['SQL', '"1; DROP TABLE task --"'],
  ['a very long text', `"${'1'.repeat(100_000)}"`],
];

const OBJECT_IN_TASK_ID = BAD_IDS.flatMap(([what, json]): Malformed[] => [
  ...(['task_id_old', 'task_id'] as const).map((member) => ({
    title: `duplicate: ${member} is ${what}`,
    ...post(DUPLICATION, { raw: JSON.stringify({ ...PAIR, [member]: '@' }).replace('"@"', json) }),
    error: 'NOT_A_TASK_ID' as const,
    details: { member },
  })),
  {
    title: `create: task_id is ${what}`,
    ...post(TASKS, { raw: `{"task_id": ${json}, "task_name": "a"}` }),
    error: 'NOT_A_TASK_ID',
    details: { member: 'task_id' },
  },
]);

const MISSING_MEMBERS: Malformed[] = [
  {
    title: 'duplicate: no member',
    ...post(DUPLICATION, {}),
    error: 'NOT_A_TASK_ID',
    details: { member: 'task_id_old' },
  },
  {
    title: 'duplicate: no task_id_old',
    ...post(DUPLICATION, { task_id: ABSENT }),
    error: 'NOT_A_TASK_ID',
    details: { member: 'task_id_old' },
  },
  {
    title: 'duplicate: no task_id',
    ...post(DUPLICATION, { task_id_old: TASK }),
    error: 'NOT_A_TASK_ID',
    details: { member: 'task_id' },
  },
  {
    title: 'duplicate: one task twice',
    ...post(DUPLICATION, { task_id_old: TASK, task_id: TASK }),
    error: 'SAME_TASK',
  },
  {
    title: 'duplicate: one absent task twice',
    ...post(DUPLICATION, { task_id_old: ABSENT, task_id: ABSENT }),
    error: 'SAME_TASK',
  },
  { title: 'create: no member', ...post(TASKS, {}), error: 'NOT_A_NAME', details: { member: 'task_name' } },
  {
    title: 'create: only an id',
    ...post(TASKS, { task_id: ABSENT }),
    error: 'NOT_A_NAME',
    details: { member: 'task_name' },
  },
];

/** [what it is, its JSON text, as the message writes it] */
const UNKNOWN_NAMES: [what: string, json: string, shown?: string][] = [
  ['a member too many', '"name"'],
  ['another case', '"Task_id"'],
  ['camel case', '"taskId"'],
  ['a space behind', '"task_id "'],
  ['no name', '""'],
  ['__proto__', '"__proto__"'],
  ['constructor', '"constructor"'],
  ['toString', '"toString"'],
  ['hasOwnProperty', '"hasOwnProperty"'],
  ['then', '"then"'],
  ['prototype', '"prototype"'],
  ['a number', '"0"'],
  ['a Chinese name', '"任务"'],
  ['an astral name', '"𠮷😀"'],
  ['a full-width name', '"ｔａｓｋ＿ｉｄ"'],
  ['a line feed', '"a\\nb"'],
  ['a NUL', '"a\\u0000b"'],
  ['quotes', '"\\"a\\""'],
  ['a placeholder', '"{id}"'],
  ['half a surrogate pair', '"\\ud800"', '\ufffd'],
  ['the other half', '"\\udc00"', '\ufffd'],
  ['a very long name', `"${'x'.repeat(10_000)}"`, `${'x'.repeat(40)}…`],
  ['a long name cut within a pair', `"x${'😀'.repeat(30)}"`, `x${'😀'.repeat(19)}\ufffd…`],
];

const UNKNOWN_PROPERTIES = UNKNOWN_NAMES.flatMap(
  ([what, json, shown = JSON.parse(json) as string]): Malformed[] => [
    {
      title: `duplicate: unknown property: ${what}`,
      ...post(DUPLICATION, { raw: `{${json}: 1, "task_id_old": "${TASK}", "task_id": "${ABSENT}"}` }),
      error: 'UNKNOWN_PROPERTY',
      details: { member: shown },
    },
    {
      title: `create: unknown property: ${what}`,
      ...post(TASKS, { raw: `{"task_name": "a", ${json}: {"a": []}}` }),
      error: 'UNKNOWN_PROPERTY',
      details: { member: shown },
    },
  ],
);

const TASK_NAMES: [what: string, json: string][] = [
  ['empty', '""'],
  ['201 characters', `"${'名'.repeat(201)}"`],
  ['201 astral characters', `"${'😀'.repeat(201)}"`],
  ['100,000 characters', `"${'x'.repeat(100_000)}"`],
  ['a number', '1'],
  ['null', 'null'],
  ['true', 'true'],
  ['a list', '["a"]'],
  ['an object', '{"a":"b"}'],
  ['a NUL', '"a\\u0000"'],
  ['half a surrogate pair', '"a\\ud83d"'],
  ['a pair the wrong way round', '"\\ude00\\ud83d"'],
];

const TASK_TYPES = [
  '0',
  '4',
  '-1',
  '1.5',
  '1e2',
  '1e400',
  '2147483648',
  '"1"',
  '""',
  'null',
  'true',
  '[1]',
  '[]',
  '{}',
];

const BAD_TASKS: Malformed[] = [
  ...TASK_NAMES.map(([what, json]) => ({
    title: `create: task_name is ${what}`,
    ...post(TASKS, { raw: `{"task_name": ${json}}` }),
    error: 'NOT_A_NAME' as const,
    details: { member: 'task_name' },
  })),
  ...TASK_NAMES.map(([what, json]) => ({
    title: `change: task_name is ${what}`,
    ...patch(`${TASKS}/${TASK}`, { raw: `{"task_name": ${json}}` }),
    error: 'NOT_A_NAME' as const,
    details: { member: 'task_name' },
  })),
  ...TASK_TYPES.map((json) => ({
    title: `change: task_type is ${json}`,
    ...patch(`${TASKS}/${TASK}`, { raw: `{"task_name": "a", "task_type": ${json}}` }),
    error: 'NOT_A_TASK_TYPE' as const,
    details: { member: 'task_type' },
  })),
  ...['task_id', 'image_count', 'created_at', 'task_id_old', '__proto__'].map((member) => ({
    title: `change: ${member}`,
    ...patch(`${TASKS}/${TASK}`, { raw: `{"${member}": "${TASK}"}` }),
    error: 'UNKNOWN_PROPERTY' as const,
    details: { member },
  })),
  ...TASK_TYPES.map((json) => ({
    title: `create: task_type is ${json}`,
    ...post(TASKS, { raw: `{"task_name": "a", "task_type": ${json}}` }),
    error: 'NOT_A_TASK_TYPE' as const,
    details: { member: 'task_type' },
  })),
];

/** As it stands in a path. */
const BAD_PATH_IDS = [
  '1',
  '201810243965289101',
  '20181024396528910140',
  '0018102439652891014',
  '9223372036854775808',
  '9999999999999999999',
  '-201810243965289101',
  '+2018102439652891014',
  '2018102439652891e14',
  '0x1c01e8e3a9b2f4d6a',
  '2018102439652891014.',
  '2018102439652891014%20',
  '%202018102439652891014',
  '2018102439652891014%0A',
  '2018102439652891014%00',
  '2018102439652891014%2F',
  '%EF%BC%92018102439652891014',
  '%D9%A2018102439652891014',
  'null',
  'undefined',
  '[]',
  '*',
  ':task_id',
  '__proto__',
  "'OR'1'='1",
];

const WITH_TASK: [title: string, request: (id: string) => PlainRequest][] = [
  ['one task', (id) => get(`${TASKS}/${id}`)],
  ['change', (id) => patch(`${TASKS}/${id}`, { task_name: 'a' })],
  ['delete', (id) => ({ method: 'DELETE', path: `${TASKS}/${id}` })],
  ['images', (id) => get(`${TASKS}/${id}/images`)],
  ['label classes', (id) => get(`${TASKS}/${id}/label-classes`)],
  ['annotations', (id) => get(`${TASKS}/${id}/images/${IMAGE}/annotations`)],
  ['replace annotations', (id) => put(`${TASKS}/${id}/images/${IMAGE}/annotations`, { annotations: [] })],
  ['export', (id) => get(`${TASKS}/${id}/coco`)],
  ['import', (id) => importTo(`${TASKS}/${id}/coco?task_type=1`)],
  ['how a duplication stands', (id) => get(`${TASKS}/${id}/duplication`)],
  ['maps', (id) => get(`${TASKS}/${id}/duplication/maps`)],
  ['verification', (id) => get(`${TASKS}/${id}/duplication/verification`)],
];

const BAD_PATHS: Malformed[] = [
  ...BAD_PATH_IDS.flatMap((id, at): Malformed[] => [
    // Every kind at one endpoint, and some at each.
    ...WITH_TASK.slice(0, at % 3 === 0 ? undefined : 1).map(([title, request]) => ({
      title: `${title}: task_id ${id} in the path`,
      ...request(id),
      error: 'NOT_A_TASK_ID' as const,
      details: { member: 'task_id' },
    })),
    ...[
      get(`${TASKS}/${TASK}/images/${id}/annotations`),
      put(`${TASKS}/${TASK}/images/${id}/annotations`, { annotations: [] }),
    ].map((request) => ({
      title: `annotations: ${request.method}, img_id ${id} in the path`,
      ...request,
      error: 'NOT_AN_IMAGE_ID' as const,
      details: { member: 'img_id' },
    })),
  ]),
  // Not even text.
  ...['%', '%zz', '%2', '%E4%BB', '%FF', '%C0%AF', '%ED%A0%80'].flatMap((id): Malformed[] => [
    ...WITH_TASK.map(([title, request]) => ({
      title: `${title}: malformed percent encoding ${id} in the path`,
      ...request(id),
      error: 'BAD_REQUEST' as const,
    })),
    {
      title: `annotations: malformed percent encoding ${id} of the image`,
      ...get(`${TASKS}/${TASK}/images/${id}/annotations`),
      error: 'BAD_REQUEST',
    },
    { title: `another method at ${id}`, method: 'POST', path: `${TASKS}/${id}`, error: 'BAD_REQUEST' },
  ]),
];

const EVERY_ENDPOINT: [title: string, request: PlainRequest][] = [
  ['duplicate', post(DUPLICATION, PAIR)],
  ['create', post(TASKS, { task_name: 'a' })],
  ['list', get(TASKS)],
  ...WITH_TASK.map(([title, request]): [string, PlainRequest] => [title, request(TASK)]),
  ['live', get('/health/live')],
  ['ready', get('/health/ready')],
  ['root', get('/')],
];

const UNKNOWN_PARAMETERS = [
  'verbose=1',
  'Limit=1',
  'task_id',
  '__proto__=1',
  'constructor=1',
  '%E4%BB%BB=1',
  '=1',
];

const BAD_QUERIES: Malformed[] = [
  ...EVERY_ENDPOINT.flatMap(([title, request], at) =>
    UNKNOWN_PARAMETERS.slice(0, at < 3 ? undefined : 2).map((parameter) => ({
      title: `${title}: unknown parameter ${parameter}`,
      ...request,
      path: withQuery(request.path, parameter),
      error: 'UNKNOWN_PROPERTY' as const,
      details: { member: decodeURIComponent(/^[^=]*/.exec(parameter)?.[0] ?? '') },
    })),
  ),
  ...EVERY_ENDPOINT.flatMap(([title, request], at) =>
    ['a=%FF', 'a=%', 'a=%zz', '%FF=a', 'a=%ED%A0%80', 'limit=1&search=%zz']
      .slice(0, at < 3 ? undefined : 1)
      .map((parameter) => ({
        title: `${title}: malformed percent encoding in the query: ${parameter}`,
        ...request,
        path: withQuery(request.path, parameter),
        error: 'BAD_REQUEST' as const,
      })),
  ),
];

function withQuery(path: string, parameter: string): string {
  return `${path}${path.includes('?') ? '&' : '?'}${parameter}`;
}

const PAGED: [title: string, path: string][] = [
  ['list', TASKS],
  ['images', `${TASKS}/${TASK}/images`],
  ['maps', `${TASKS}/${TASK}/duplication/maps`],
];

const BAD_LIMITS = [
  '0',
  '1001',
  '-1',
  '1.5',
  '1.0',
  '1e2',
  '0x10',
  '',
  '%20',
  '10%20',
  '%2010',
  '+10',
  '%2B10',
  '010',
  '1,000',
  '%EF%BC%91',
  'NaN',
  'Infinity',
  'null',
  'true',
  '9007199254740993',
  '99999999999999999999',
  '1&limit=2',
  '1&limit=1',
];

const BAD_CURSORS = [
  '',
  '%20',
  'x',
  '0',
  'null',
  'MQ==',
  'MQ%3D',
  '!',
  '%00',
  '%E4%BB%BB',
  'a'.repeat(201),
  'MQ&cursor=MQ',
  cursor('-1'),
  cursor('1.5'),
  cursor('1 '),
  cursor('2147483648'),
  cursor('99999999999'),
  cursor('1e3'),
  cursor("1' OR '1'='1"),
  cursor(`2026-13-01T00:00:00.000000Z ${TASK}`),
  cursor(`2026-01-01T25:00:00.000000Z ${TASK}`),
  cursor(`2026-01-01T00:00:00.000Z ${TASK}`),
  cursor(`0000-00-00T00:00:00.000000Z ${TASK}`),
  cursor('2026-01-01T00:00:00.000000Z 9999999999999999999'),
  cursor('2026-01-01T00:00:00.000000Z 1'),
  cursor(`2026-01-01T00:00:00.000000Z  ${TASK}`),
];

function cursor(position: string): string {
  return Buffer.from(position).toString('base64url');
}

const BAD_PAGES: Malformed[] = [
  ...PAGED.flatMap(([title, path]): Malformed[] => [
    ...BAD_LIMITS.map((limit) => ({
      title: `${title}: limit=${limit}`,
      ...get(`${path}?limit=${limit}`),
      error: 'NOT_A_LIMIT' as const,
      details: { member: 'limit' },
    })),
    ...BAD_CURSORS.map((text) => ({
      title: `${title}: cursor=${text}`,
      ...get(`${path}?cursor=${text}`),
      error: 'NOT_A_CURSOR' as const,
      details: { member: 'cursor' },
    })),
    ...['limit[a]=1', 'limit[]=1', 'limit[__proto__]=1', 'cursor[a]=1', 'limit.a=1'].map((parameter) => ({
      title: `${title}: nested ${parameter}`,
      ...get(`${path}?${parameter}`),
      error: 'UNKNOWN_PROPERTY' as const,
      details: { member: parameter.slice(0, -2) },
    })),
  ]),
  // The position of the one list is none in the other.
  ...[
    `${TASKS}?cursor=${cursor('1')}`,
    `${TASKS}/${TASK}/images?cursor=${cursor(`2026-01-01T00:00:00.000000Z ${TASK}`)}`,
  ].map((path) => ({
    title: `the cursor of another list: ${path}`,
    ...get(path),
    error: 'NOT_A_CURSOR' as const,
  })),
  ...['a&search=b', '%00', 'x'.repeat(201), `${'x'.repeat(200)}%00`].map((search) => ({
    title: `list: search=${search}`,
    ...get(`${TASKS}?search=${search}`),
    error: 'NOT_A_SEARCH' as const,
    details: { member: 'search' },
  })),
];

const BAD_IMPORTS: Malformed[] = [
  ...[
    '',
    '0',
    '4',
    '1.0',
    '01',
    '%201',
    '%2B1',
    '1e0',
    '%EF%BC%91',
    'null',
    '1&task_type=1',
    '1&task_type=2',
  ].map((type) => ({
    title: `import: task_type=${type}`,
    ...importTo(`${TASKS}/${ABSENT}/coco?task_type=${type}`),
    error: 'NOT_A_TASK_TYPE' as const,
    details: { member: 'task_type' },
  })),
  ...['', 'x'.repeat(201), 'a%00', 'a&task_name=b'].map((name) => ({
    title: `import: task_name=${name}`,
    ...importTo(`${TASKS}/${ABSENT}/coco?task_type=1&task_name=${name}`),
    error: 'NOT_A_NAME' as const,
    details: { member: 'task_name' },
  })),
  ...[
    'text/plain',
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded',
    'application/jsonp',
    'nonsense',
  ].map((type) => ({
    title: `import: ${type}`,
    ...importTo(`${TASKS}/${ABSENT}/coco?task_type=1`, { 'Content-Type': type }),
    error: 'UNSUPPORTED_MEDIA_TYPE' as const,
  })),
  ...['gzip', 'br', 'nonsense'].map((encoding) => ({
    title: `import: encoding ${encoding}`,
    ...importTo(`${TASKS}/${ABSENT}/coco?task_type=1`, { 'Content-Encoding': encoding }),
    error: 'UNSUPPORTED_ENCODING' as const,
  })),
  ...['', ' ', '{', '{"images": [', '\u0000', 'NaN'].map((body) => ({
    title: `import: the file ${JSON.stringify(body)}`,
    ...importTo(`${TASKS}/${ABSENT}/coco?task_type=1`),
    body,
    error: 'MALFORMED_FILE' as const,
  })),
  {
    title: 'import: larger than allowed',
    ...importTo(`${TASKS}/${ABSENT}/coco?task_type=1`),
    body: ' '.repeat(2 * MB + 1),
    error: 'BODY_TOO_LARGE',
    details: { max: 2 * MB },
  },
];

/** Bodies that are wrong for every endpoint that reads one. */
const BAD_BODIES: [
  what: string,
  body: string | Buffer | undefined,
  error: ErrorName,
  headers?: Record<string, string>,
][] = [
  ['none', undefined, 'BODY_NOT_AN_OBJECT'],
  ['empty', '', 'BODY_NOT_AN_OBJECT'],
  ['white space', ' \r\n\t', 'MALFORMED_JSON'],
  ['a word', 'task', 'MALFORMED_JSON'],
  ['truncated', '{"task_id_old": "2018', 'MALFORMED_JSON'],
  ['a comma too many', '{"task_name": "a",}', 'MALFORMED_JSON'],
  ['two values', '{} {}', 'MALFORMED_JSON'],
  ['single quotes', "{'task_name': 'a'}", 'MALFORMED_JSON'],
  ['a comment', '{/* */"task_name": "a"}', 'MALFORMED_JSON'],
  ['NaN', '{"task_name": NaN}', 'MALFORMED_JSON'],
  ['a bare name', '{task_name: "a"}', 'MALFORMED_JSON'],
  ['a raw line feed in a text', '{"task_name": "a\nb"}', 'MALFORMED_JSON'],
  ['a form', 'task_name=a', 'MALFORMED_JSON'],
  ['NUL', '\u0000', 'MALFORMED_JSON'],
  ['NUL behind', '{"task_name": "a"}\u0000', 'MALFORMED_JSON'],
  [
    'a cut UTF-8 sequence',
    Buffer.from([...Buffer.from('{"task_name": "'), 0xe4, 0xbb, 0x22, 0x7d]),
    'MALFORMED_JSON',
  ],
  ['Latin-1', Buffer.from('{"task_name": "ä"}', 'latin1'), 'MALFORMED_JSON'],
  [
    'half a surrogate pair in UTF-8',
    Buffer.from('7b226122 3a22eda08022 7d'.replaceAll(' ', ''), 'hex'),
    'MALFORMED_JSON',
  ],
  ['UTF-16', Buffer.from('{"task_name": "a"}', 'utf16le'), 'MALFORMED_JSON'],
  ['null', 'null', 'BODY_NOT_AN_OBJECT'],
  ['a number', '1', 'BODY_NOT_AN_OBJECT'],
  ['a text', '"2018102439652891014"', 'BODY_NOT_AN_OBJECT'],
  ['true', 'true', 'BODY_NOT_AN_OBJECT'],
  ['a list', '[]', 'BODY_NOT_AN_OBJECT'],
  ['a list with an object', JSON.stringify([PAIR]), 'BODY_NOT_AN_OBJECT'],
  ['100,000 brackets', '['.repeat(100_000), 'MALFORMED_JSON'],
  ['100,000 levels', '['.repeat(100_000) + ']'.repeat(100_000), 'BODY_NOT_AN_OBJECT'],
  ['100,000 levels in a member', `{"deep": ${'{"a":'.repeat(1e5)}1${'}'.repeat(1e5)}}`, 'UNKNOWN_PROPERTY'],
  ['one byte over 1 MB', `{"task_name": "${'x'.repeat(MB - 16)}"}`, 'BODY_TOO_LARGE'],
  ['one byte over 1 MB, in chunks', ' '.repeat(MB + 1), 'BODY_TOO_LARGE', { 'Transfer-Encoding': 'chunked' }],
  ['over 1 MB when inflated', gzipSync(' '.repeat(MB + 1)), 'BODY_TOO_LARGE', { 'Content-Encoding': 'gzip' }],
  ['no gzip', '{}', 'BAD_REQUEST', { 'Content-Encoding': 'gzip' }],
  [
    'a cut gzip',
    gzipSync('{"task_name": "a"}').subarray(0, 20),
    'BAD_REQUEST',
    { 'Content-Encoding': 'gzip' },
  ],
  ['no deflate', '{}', 'BAD_REQUEST', { 'Content-Encoding': 'deflate' }],
  ['no brotli', '{}', 'BAD_REQUEST', { 'Content-Encoding': 'br' }],
  ['an unknown compression', '{}', 'UNSUPPORTED_ENCODING', { 'Content-Encoding': 'compress' }],
  ['two compressions', '{}', 'UNSUPPORTED_ENCODING', { 'Content-Encoding': 'gzip, gzip' }],
  ...['latin1', 'iso-8859-1', 'gbk', 'utf-7', 'utf-16', 'utf-16le', 'utf-32', 'utf-nonsense'].map(
    (charset): [string, string, ErrorName, Record<string, string>] => [
      `charset ${charset}`,
      '{}',
      'UNSUPPORTED_ENCODING',
      { 'Content-Type': `application/json; charset=${charset}` },
    ],
  ),
  ...[
    'text/plain',
    'text/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
    'application/ld+json',
    'application/octet-stream',
    'application/json, text/plain',
    'nonsense',
    '',
  ].map((type): [string, string, ErrorName, Record<string, string>] => [
    `content type '${type}'`,
    '{}',
    'UNSUPPORTED_MEDIA_TYPE',
    { 'Content-Type': type },
  ]),
];

const BODIES: Malformed[] = [
  ...[
    ['POST', DUPLICATION],
    ['POST', TASKS],
    ['PATCH', `${TASKS}/${TASK}`],
  ].flatMap(([method = '', path = '']) =>
    BAD_BODIES.map(([what, body, error, headers]) => ({
      title: `${method} ${path}, body: ${what}`,
      method,
      path,
      headers: { 'Content-Type': 'application/json', ...headers },
      ...(body !== undefined && { body }),
      error,
      ...(error === 'BODY_TOO_LARGE' && { details: { max: MB } }),
      ...(error === 'UNKNOWN_PROPERTY' && { details: { member: 'deep' } }),
      ...(error === 'UNSUPPORTED_MEDIA_TYPE' && { details: { types: 'application/json' } }),
    })),
  ),
  // A document may be larger than a megabyte, but is in all else a body like others.
  ...BAD_BODIES.filter(([, , error]) => error !== 'BODY_TOO_LARGE').map(([what, body, error, headers]) => ({
    title: `PUT annotations, body: ${what}`,
    method: 'PUT',
    path: `${TASKS}/${TASK}/images/${IMAGE}/annotations`,
    headers: { 'Content-Type': 'application/json', ...headers },
    ...(body !== undefined && { body }),
    error,
  })),
  {
    title: 'a body without a content type',
    method: 'POST',
    path: DUPLICATION,
    body: JSON.stringify(PAIR),
    error: 'UNSUPPORTED_MEDIA_TYPE',
  },
  {
    title: 'GET with a body that is no JSON',
    ...post(TASKS, { raw: '{' }),
    method: 'GET',
    error: 'MALFORMED_JSON',
  },
];

const UNKNOWN_ROUTES: Malformed[] = [
  ['GET', '/training'],
  ['GET', '/training/'],
  ['GET', '/tasks'],
  ['GET', '/training/task'],
  ['GET', '/health'],
  ['GET', '/health/started'],
  ['GET', '/favicon.ico'],
  ['GET', '/.env'],
  ['GET', '//training/tasks'],
  ['GET', '/training//tasks'],
  ['GET', `${TASKS}/${TASK}/nothing`],
  ['GET', `${TASKS}/${TASK}/images/${IMAGE}`],
  ['GET', `${TASKS}/${TASK}/images/${IMAGE}/annotations/1`],
  ['GET', `${TASKS}/../../etc/passwd`],
  ['GET', `${TASKS}/${TASK}/duplication/maps/1`],
  ['GET', '/%E4%BB%BB%E5%8A%A1'],
  ['GET', '/%'],
  ['POST', '/training/tasks/duplication/again'],
  ['POST', '/'.padEnd(5_000, 'x')],
  ['DELETE', '/training'],
  ['TRACE', '/nothing'],
  ['PROPFIND', '/nothing'],
].map(([method = '', path = '']) => ({
  title: `nothing at ${method} ${path.slice(0, 80)}`,
  method,
  path,
  error: 'ROUTE_NOT_FOUND',
  ...(path.length < 200 && { details: { path } }),
}));

const OTHER_METHODS: Malformed[] = (
  [
    [['PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND', 'SEARCH'], TASKS, ['GET', 'POST']],
    [['GET', 'PUT', 'PATCH', 'DELETE', 'TRACE'], DUPLICATION, ['POST']],
    [['POST', 'PUT', 'TRACE', 'LINK'], `${TASKS}/${TASK}`, ['DELETE', 'GET', 'PATCH']],
    [['POST', 'PUT', 'PATCH', 'DELETE'], `${TASKS}/${TASK}/images`, ['GET']],
    [['POST', 'PUT', 'PATCH', 'DELETE'], `${TASKS}/${TASK}/label-classes`, ['GET']],
    [['POST', 'PATCH', 'DELETE'], `${TASKS}/${TASK}/images/${IMAGE}/annotations`, ['GET', 'PUT']],
    [['POST', 'PATCH', 'DELETE'], `${TASKS}/${TASK}/coco`, ['GET', 'PUT']],
    [['POST', 'PUT', 'DELETE'], `${TASKS}/${TASK}/duplication`, ['GET']],
    [['POST', 'PUT', 'DELETE'], `${TASKS}/${TASK}/duplication/maps`, ['GET']],
    [['POST', 'PUT', 'DELETE'], `${TASKS}/${TASK}/duplication/verification`, ['GET']],
    [['POST', 'DELETE', 'TRACE'], '/health/live', ['GET']],
    [['POST', 'DELETE', 'TRACE'], '/health/ready', ['GET']],
    [['POST', 'PUT', 'TRACE'], '/', ['GET']],
    // Neither the query nor the id is looked at.
    [['PUT'], `${TASKS}?limit=0`, ['GET', 'POST']],
    [['POST'], `${TASKS}/1/images`, ['GET']],
    [['DELETE'], '/Training/Tasks/', ['GET', 'POST']],
  ] satisfies [string[], string, string[]][]
).flatMap(([methods, path, allowed]) =>
  methods.map((method) => ({
    title: `${method} ${path}`,
    method,
    path,
    error: 'METHOD_NOT_ALLOWED' as const,
    allowed,
  })),
);

const MALFORMED: Malformed[] = [
  ...OBJECT_IN_TASK_ID,
  ...MISSING_MEMBERS,
  ...UNKNOWN_PROPERTIES,
  ...BAD_TASKS,
  ...BAD_PATHS,
  ...BAD_QUERIES,
  ...BAD_PAGES,
  ...BAD_IMPORTS,
  ...BODIES,
  ...UNKNOWN_ROUTES,
  ...OTHER_METHODS,
];

let app: TestApp;
let before: unknown;

beforeAll(async () => {
  app = await TestApp.start({ CORS_ORIGINS: ORIGIN, MAX_IMPORT_BYTES: String(2 * MB) });
  await app.api.post(TASKS, { task_id: TASK, task_name: 'empty' });
  before = await traces();
});
afterAll(() => app.stop());

/** What a refused request must leave as it is: every table, and the counter behind the ids. */
async function traces(): Promise<object> {
  const counter = await app.dataSource.query<unknown[]>(`SELECT last_number FROM id_counter`);
  return { ...(await app.rowCounts()), counter };
}

/** Since the test before this one. */
async function expectNoTrace(): Promise<void> {
  const [expected, now] = [before, await traces()];
  before = now;
  expect(now).toEqual(expected);
}

function send(request: PlainRequest, language: string): Promise<PlainAnswer> {
  const headers = { Origin: ORIGIN, 'Accept-Language': language, ...request.headers };
  return sendPlain(app.url, { ...request, headers });
}

describe('a malformed request is refused, says why, and changes nothing', () => {
  it.each(MALFORMED)('$title', async ({ error, details, allowed, ...request }) => {
    const [chinese, english] = await Promise.all([
      send(request, 'zh-CN,zh;q=0.9,en;q=0.8'),
      send(request, 'en'),
    ]);
    expectFailure(chinese, error, 'zh', details);
    expectFailure(english, error, 'en', details);
    expect(chinese.headers).toMatchObject({
      'access-control-allow-origin': ORIGIN,
      'access-control-expose-headers': 'Retry-After,X-Request-Id,Idempotency-Replayed',
    });
    const possible = chinese.headers.allow?.split(', ') ?? [];
    expect(possible).toEqual(allowed === undefined ? [] : (expect.arrayContaining([...allowed]) as string[]));
    expect(possible).not.toContain(request.method);
    await expectNoTrace();
  });

  it('names member and rule in words fixed by the contract', async () => {
    const request = post(DUPLICATION, { ...PAIR, task_id: 1 });
    expect((await send(request, '')).text).toBe('{"code":40005,"msg":"task_id 必须是 19 位数字的字符串"}');
    expect((await send(request, 'en-GB')).text).toBe(
      '{"code":40005,"msg":"task_id must be a string of 19 digits"}',
    );
  });

  it.each([
    ['*', 'zh'],
    ['fr', 'zh'],
    ['zh;q=0.1,en', 'en'],
    ['en;q=0.1,zh', 'zh'],
    ['en;q=0', 'zh'],
    ['de, en-US;q=0.7', 'en'],
    ['nonsense;;;q=x', 'zh'],
  ] as const)('Accept-Language: %s is answered in %s', async (header, language) => {
    expectFailure(await send(post(DUPLICATION, []), header), 'BODY_NOT_AN_OBJECT', language);
  });

  it.each([
    [`${TASKS}/1`, 400],
    [`${TASKS}/${ABSENT}`, 404],
    [`${TASKS}?limit=0`, 400],
    ['/nothing', 404],
  ])('HEAD %s is answered without a body', async (path, status) => {
    const answer = await send({ method: 'HEAD', path }, 'en');
    expect({ ...answer, text: answer.text.length }).toMatchObject({ status, text: 0 });
    expect(answer.headers['x-request-id']).toBeDefined();
  });

  it('serves a body of exactly 1 MB', async () => {
    const body = `{"task_name": ""${' '.repeat(MB - 17)}}`;
    expect(body).toHaveLength(MB);
    expectFailure(await send(post(TASKS, { raw: body }), 'en'), 'NOT_A_NAME', 'en');
  });

  it('holds for a page of thousands of parameters', async () => {
    const path = `${TASKS}?${'limit=1&'.repeat(1_500)}unknown=1`;
    expectFailure(await send(get(path), 'en'), 'NOT_A_LIMIT', 'en');
  });
});

describe('whatever is sent as a duplication', () => {
  const CODES = /^\{"code":4\d{4},"msg":".+"\}$/s;
  const anId = fc.constantFrom(TASK, ABSENT, '9223372036854775807', '1000000000000000000', IMAGE);

  async function expectRefused(body: string | Buffer): Promise<void> {
    const answer = await send({ ...post(DUPLICATION, {}), body }, 'zh');
    expect(answer.text).toMatch(CODES);
    expect(String(answer.status)).toBe(/\d{3}/.exec(answer.text)?.[0]);
    expect(Object.keys(JSON.parse(answer.text) as object)).toEqual(['code', 'msg']);
  }

  it('any JSON value is refused with {code, msg}', async () => {
    await fc.assert(
      fc.asyncProperty(fc.json({ maxDepth: 4 }), (body) => expectRefused(body)),
      { numRuns: 200 },
    );
    await expectNoTrace();
  });

  it('any values of its members are, unless they are a task and another id', async () => {
    const anything = fc.oneof(
      anId,
      fc.jsonValue(),
      fc.string({ unit: 'binary' }),
      fc.stringMatching(/^[0-9]{17,21}$/),
    );
    const pair = fc.record({ task_id_old: anything, task_id: anything }, { requiredKeys: [] });
    await fc.assert(
      fc.asyncProperty(pair, async (body) => {
        fc.pre(body.task_id_old !== TASK);
        await expectRefused(JSON.stringify(body));
      }),
      { numRuns: 200 },
    );
    await expectNoTrace();
  });

  it('any bytes are', async () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(bytes, (body) => expectRefused(Buffer.from(body))),
      { numRuns: 100 },
    );
  });
});

it('the service still serves', async () => {
  expect((await app.api.get(`${TASKS}/${TASK}`)).body).toMatchObject({
    code: 0,
    task_id: TASK,
    image_count: 0,
  });
  expect((await app.api.duplicate(TASK, newTaskId())).status).toBe(200);
});
