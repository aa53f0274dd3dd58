import { isUtf8 } from 'node:buffer';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import type { JsonPiece } from './json-piece';
import { JsonSyntaxError } from './json-syntax-error';
import { splitJson } from './split-json';
import type { PlainReader, SplitOptions } from './split-options';
import { UnusableJson } from './unusable-json';

const LAYOUT: SplitOptions = { arrays: ['images', 'annotations'], kept: ['info', 'licenses'] };

describe('elements that are read otherwise', () => {
  const TEXT = '{"images":[{"id":1},{"id":2}],"annotations":[{"id":3},{"id":[4]}]}';
  /** Takes short ones without a list. */
  const plainReader = (member: string): PlainReader<string> => ({
    end: 0,
    read(text, from) {
      const [object] = /^\{[^[\]]{0,7}\}/.exec(text.toString('latin1', from)) ?? [];
      Object.assign(this, { end: from + (object?.length ?? 0) });
      return object === undefined ? null : `${member} ${object}`;
    },
  });

  it('come as what they were read as, and the others as objects', async () => {
    for (const cuts of [[], everyByte(Buffer.from(TEXT))]) {
      const pieces: unknown[] = [];
      for await (const batch of splitJson(chunksOf(Buffer.from(TEXT), cuts), { ...LAYOUT, plainReader })) {
        pieces.push(...batch);
      }
      expect(pieces).toEqual([
        { kind: 'array', member: 'images' },
        { kind: 'plain', member: 'images', value: 'images {"id":1}', bytes: 8 },
        { kind: 'plain', member: 'images', value: 'images {"id":2}', bytes: 8 },
        { kind: 'array', member: 'annotations' },
        { kind: 'plain', member: 'annotations', value: 'annotations {"id":3}', bytes: 8 },
        { kind: 'element', member: 'annotations', index: 1, value: { id: [4] }, bytes: 10 },
      ]);
    }
  });

  it('are refused where they are longer than allowed', async () => {
    const pieces = splitJson(chunksOf(Buffer.from(TEXT), []), { ...LAYOUT, plainReader, elementBytesMax: 7 });
    await expect(pieces.next()).resolves.toMatchObject({ value: [{ kind: 'array' }] });
    await expect(pieces.next()).rejects.toMatchObject({ problem: 'element-too-large' });
  });

  it('have not been read where the batch ends at which their array begins', async () => {
    const read: string[] = [];
    const options = { ...LAYOUT, plainReader: (member: string) => (read.push(member), null) };
    const seen: string[][] = [];
    for await (const batch of splitJson(chunksOf(Buffer.from(TEXT), []), options)) {
      if (batch.at(-1)?.kind === 'array') seen.push([...read]);
    }
    expect(seen).toEqual([[], ['images', 'images']]);
  });
});

describe('a split file', () => {
  it('comes piece by piece in its own order', async () => {
    expect(
      await split(
        '{"info": {"year": 2019}, "images": [{"id": 0}, {"id": 1}], "extra": [1], "annotations": []}',
      ),
    ).toEqual([
      { kind: 'value', member: 'info', value: { year: 2019 } },
      { kind: 'array', member: 'images' },
      { kind: 'element', member: 'images', index: 0, value: { id: 0 }, bytes: 9 },
      { kind: 'element', member: 'images', index: 1, value: { id: 1 }, bytes: 9 },
      { kind: 'ignored', member: 'extra' },
      { kind: 'array', member: 'annotations' },
    ]);
  });

  it('may be an empty object', async () => expect(await split(' {\n} ')).toEqual([]));

  it('may have a byte order mark, in pieces too', async () => {
    const bytes = Buffer.from('\uFEFF{"info": 1}');
    expect(await split(bytes)).toHaveLength(1);
    expect(await split(bytes, everyByte(bytes))).toHaveLength(1);
  });

  it('may write a name with escapes', async () => {
    expect(await split('{"\\u0069mages": [], "inf\\u006f": null}')).toEqual([
      { kind: 'array', member: 'images' },
      { kind: 'value', member: 'info', value: null },
    ]);
  });

  it('is closed when its reader stops early', async () => {
    let isClosed = false;
    async function* source() {
      try {
        for (;;) yield await Promise.resolve(Buffer.from('{"images": [{}'));
      } finally {
        isClosed = true;
      }
    }
    for await (const pieces of splitJson(source(), LAYOUT)) {
      expect(pieces[0]?.kind).toBe('array');
      break;
    }
    expect(isClosed).toBe(true);
  });
});

// "→" stands before the first wrong byte.
describe.each([
  ['nothing', '→'],
  ['white space', ' \n→'],
  ['a word', 'n→onsense'],
  ['NaN', '→NaN'],
  ['a byte order mark in the middle', '{→\uFEFF}'],
  ['a second byte order mark', '\uFEFF→\uFEFF{}'],
  ['an open object', '{"images": []→'],
  ['an open name', '{"imag→'],
  ['a name without quotes', '{→images: []}'],
  ['a missing colon', '{"images" →[]}'],
  ['a missing comma between members', '{"images": [] →"info": 1}'],
  ['a missing comma between elements', '{"images": [{"id": 1} →{"id": 2}]}'],
  ['a comma behind the last member', '{"info": 1,→}'],
  ['a comma behind the last element', '{"images": [{"id": 1},→]}'],
  ['a comma before the first element', '{"images": [→,{"id": 1}]}'],
  ['a comma before the first member', '{→,"images": []}'],
  ['an array that is closed as an object', '{"images": [→}'],
  ['text behind the end', '{"images": []} →x'],
  ['a second object', '{}→{}'],
  ['a comment', '{"images": [→/* none */]}'],
  ['NaN in an element', '{"images": [{"id": 1}, {"id": →NaN}]}'],
  ['Infinity in an element', '{"images": [{"id": -→Infinity}]}'],
  ['a comma behind the last member of an element', '{"images": [{"id": 1,→}]}'],
  ['a bracket of the wrong kind in an element', '{"images": [{"box": [1, 2→}, {"id": 2}]}'],
  ['a bracket that never closes in an element', '{"images": [{"box": [1→}, {"id": 2}], "info": 1}'],
  ['a leading zero', '{"images": [{"id": 0→1}]}'],
  ['a leading plus', '{"images": [{"id": →+1}]}'],
  ['a leading point', '{"images": [{"id": →.5}]}'],
  ['a point without digits', '{"images": [{"id": 1.→}]}'],
  ['an exponent without digits', '{"images": [{"id": 1e+→}]}'],
  ['a hexadecimal number', '{"images": [{"id": 0→x10}]}'],
  ['quotes of the wrong kind', '{"images": [{→\'id\': 1}]}'],
  ['an escape that there is not', '{"images": [{"name": "a\\→x"}]}'],
  ['a short escape', '{"images": [{"name": "\\u12→"}]}'],
  ['a line feed in a string', '{"images": [{"name": "a→\n"}]}'],
  ['a NUL in a string', '{"images": [{"name": "→\0"}]}'],
  ['a NUL outside of strings', '{"images": [→\0]}'],
  ['a space that is none of JSON', '{"images":→\u00a0[]}'],
  ['an element that is cut off', '{"images": [{"name": "a→'],
  ['an element that is cut off behind a fault', '{"images": [{"name": n→il, "box": [1, 2'],
  ['an element that is no value', '{"images": [tr→ie]}'],
  ['a member that is no value', '{"images": n→one}'],
  ['garbage in a kept member', '{"info": {"year": 2019.→}}'],
  ['garbage in an ignored member', '{"extra": [[{"a": [1, 2, {"b": tru→}]}]]}'],
  ['a bracket of the wrong kind in an ignored member', '{"extra": [{"a": [1→}]}'],
  ['an ignored member that is cut off', '{"extra": [1, 2→'],
  ['a cut number', '{"extra": 1→'],
  ['a cut number for an array', '{"images": 1→'],
  ['garbage behind an array instead of an object', '[1, 2] →x'],
  ['a second number', '1 →2'],
  ['an array instead of an object that is cut off', '[1, [2→'],
])('a file with %s', (_, marked) => {
  const [before = ''] = marked.split('→');
  const bytes = Buffer.from(marked.replace('→', ''));

  it.each([
    ['in one chunk', []],
    ['byte by byte', everyByte(bytes)],
  ])('is refused at the first wrong byte, %s', async (__, cuts) => {
    const fault = await faultOf(split(bytes, cuts));
    expect(fault).toBeInstanceOf(JsonSyntaxError);
    expect(fault).toHaveProperty('offset', Buffer.byteLength(before));
  });
});

describe('a file that is not UTF-8', () => {
  it.each([
    ['in an element', '{"images": [{"name": "ö', [0xff], '"}]}'],
    ['in a kept member', '{"info": "', [0xc3, 0x28], '"}'],
    ['in an ignored member', '{"extra": "', [0xed, 0xa0, 0x80], '"}'],
    ['in a name', '{"', [0xc0, 0x80], '": 1}'],
    ['with a character that is cut off by a quote', '{"info": "', [0xf0, 0x9f, 0x98], '"}'],
  ])('is refused where the wrong character begins, %s', async (_, before, wrong, after) => {
    const bytes = Buffer.concat([Buffer.from(before), Buffer.from(wrong), Buffer.from(after)]);
    for (const cuts of [[], everyByte(bytes)]) {
      expect(await faultOf(split(bytes, cuts))).toMatchObject({ offset: Buffer.byteLength(before) });
    }
  });

  it('is refused at an earlier fault, if there is one', async () => {
    const before = Buffer.from('{"images": [{"id": ');
    const bytes = Buffer.concat([
      before,
      Buffer.from('NaN, "name": "'),
      Buffer.from([0xff]),
      Buffer.from('"}]}'),
    ]);
    expect(await faultOf(split(bytes))).toMatchObject({ offset: before.length });
  });
});

describe('JSON of another shape', () => {
  it.each([
    ['an array', '→[1, {"images": []}]', { problem: 'no-object', place: {} }],
    ['a number', ' →-0.0e+1', { problem: 'no-object', place: {} }],
    ['a text', '→"images"', { problem: 'no-object', place: {} }],
    ['null for an array', '{"images": →null}', { problem: 'member-no-array', place: { member: 'images' } }],
    [
      'an object for an array',
      '{"images": →{"a": []}}',
      { problem: 'member-no-array', place: { member: 'images' } },
    ],
    [
      'a number for an element',
      '{"images": [{}, →1]}',
      { problem: 'element-no-object', place: { member: 'images', index: 1 } },
    ],
    [
      'an array for an element',
      '{"images": [→[]]}',
      { problem: 'element-no-object', place: { member: 'images', index: 0 } },
    ],
    [
      'an array twice',
      '{"images": [], →"images": []}',
      { problem: 'repeated-member', place: { member: 'images' } },
    ],
    [
      'a kept member twice',
      '{"info": 1, →"inf\\u006f": 2}',
      { problem: 'repeated-member', place: { member: 'info' } },
    ],
  ])('is refused: %s', async (_, marked, expected) => {
    const [before = ''] = marked.split('→');
    const bytes = Buffer.from(marked.replace('→', ''));
    for (const cuts of [[], everyByte(bytes)]) {
      const fault = await faultOf(split(bytes, cuts));
      expect(fault).toBeInstanceOf(UnusableJson);
      expect(fault).toMatchObject({ ...expected, place: { ...expected.place, offset: before.length } });
    }
  });

  it('is taken where nobody asked: a member twice', async () => {
    expect(await split('{"extra": 1, "extra": 2}')).toHaveLength(2);
  });
});

describe('the bounds', () => {
  const bounds: SplitOptions = { ...LAYOUT, elementBytesMax: 20, keptBytesMax: 20, depthMax: 3 };

  it.each([
    ['{"images": [{"name": "12345678"}]}', null],
    ['{"images": [{"name": "123456789"}]}', 'element-too-large'],
    ['{"info": "123456789012345678"}', null],
    ['{"info": "1234567890123456789"}', 'member-too-large'],
    ['{"extra": "1234567890123456789"}', null],
    ['{"123456789012345678": 1}', null],
    ['{"1234567890123456789": 1}', 'name-too-long'],
    ['{"images": [{"a": [[1]]}]}', null],
    ['{"images": [{"a": [[[]]]}]}', 'element-too-deep'],
    ['{"info": [[[1]]]}', null],
    ['{"info": [[[[]]]]}', 'member-too-deep'],
    ['{"extra": [[[[]]]]}', null],
  ])('%s: %s', async (text, problem) => {
    for (const cuts of [[], everyByte(Buffer.from(text))]) {
      const fault = await faultOf(split(text, cuts, bounds));
      expect(fault instanceof UnusableJson ? fault.problem : fault).toBe(problem ?? undefined);
    }
  });

  it('are not blamed for a bracket that was closed wrongly', async () => {
    const before = '{"images": [{"a": [1';
    const fault = await faultOf(split(`${before}}, {"a": "1234567890"}]}`, [], bounds));
    expect(fault).toMatchObject({ offset: before.length });
  });

  const deep = '['.repeat(1e6);
  const deepText = deep + ']'.repeat(1e6);

  it('keep deep nesting from being parsed', async () => {
    expect(await faultOf(split(`{"images": [{}, {"a": ${deepText}}]}`))).toMatchObject({
      problem: 'element-too-deep',
      place: { member: 'images', index: 1, offset: 16 },
    });
  });

  it('let deep nesting be where it is not parsed', async () => {
    expect(await split(`{"extra": ${deepText}}`)).toEqual([{ kind: 'ignored', member: 'extra' }]);
    expect(await faultOf(split(deepText))).toMatchObject({ problem: 'no-object' });
    expect(await faultOf(split(deep))).toMatchObject({ offset: 1e6 });
    expect(await faultOf(split(`{"extra": ${deep}${deep}`))).toMatchObject({ problem: 'member-too-deep' });
  });
});

describe('memory', () => {
  const element = `{"id": 561.0, "segmentation": [[${'12.5, '.repeat(150)}7]]}`;
  const megabyte = Buffer.from(`${element}, `.repeat(1000));

  it.each(['images', 'extra'])('does not grow with the length of %s', async (member) => {
    const heapMB: number[] = [];
    async function* source() {
      yield Buffer.from(`{"${member}": [`);
      for (let i = 0; i < 50; i++) {
        if (i % 10 === 0) heapMB.push(collectedHeapMB());
        yield await Promise.resolve(megabyte);
      }
      yield Buffer.from(`${element}]}`);
    }
    let elements = 0;
    for await (const pieces of splitJson(source(), LAYOUT)) {
      elements += pieces.filter(({ kind }) => kind === 'element').length;
    }
    expect(elements).toBe(member === 'images' ? 50_001 : 0);
    // The largest rise: what other tests have left may still be going.
    const rises = heapMB.map((mb, at) => mb - Math.min(...heapMB.slice(0, at + 1)));
    expect(Math.max(...rises)).toBeLessThan(4);
  });

  it('takes an element in tiny chunks for what it is', async () => {
    const bytes = Buffer.from(`{"images": [{"name": "${'x'.repeat(100_000)}"}]}`);
    expect(await split(bytes, everyByte(bytes))).toHaveLength(2);
  });
});

const cutsOf = fc.array(fc.nat(), { maxLength: 12 });
const space = fc.constantFrom('', '', '', ' ', '\n', '\t', '\r\n  ');
const escape = fc.constantFrom(
  '\\"',
  '\\\\',
  '\\/',
  '\\n',
  '\\u00e4',
  '\\uD83D\\ude00',
  '\\ud800',
  '\\u0000',
);
const plain = fc.string({ unit: 'binary', maxLength: 4 }).map((text) => JSON.stringify(text).slice(1, -1));
const stringText = fc.array(fc.oneof(plain, escape), { maxLength: 4 }).map((parts) => `"${parts.join('')}"`);
const numberText = fc.oneof(
  fc.stringMatching(/^-?(0|[1-9][0-9]{0,5})(\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?$/),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => JSON.stringify(number)),
);
const { valueText, objectText } = fc.letrec<{ valueText: string; objectText: string; arrayText: string }>(
  (tie) => ({
    valueText: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom('true', 'false', 'null'),
      numberText,
      stringText,
      tie('arrayText'),
      tie('objectText'),
    ),
    arrayText: listText('[', tie('valueText'), ']'),
    objectText: listText('{', memberText(stringText, tie('valueText')), '}'),
  }),
);
const memberTexts = [
  memberText(fc.constantFrom('"images"', '"im\\u0061ges"'), listText('[', objectText, ']')),
  memberText(fc.constant('"annotations"'), listText('[', objectText, ']')),
  memberText(fc.constantFrom('"info"', '"\\u0069\\u006E\\u0066\\u006F"'), valueText),
  memberText(fc.constant('"licenses"'), valueText),
  memberText(fc.constantFrom('"extra"', '"Images"', '"images2"', '"__proto__"', '""'), valueText),
];
const dataSetText = fc
  .shuffledSubarray(memberTexts)
  .chain((members) => fc.tuple(...members))
  .chain((members) => fc.tuple(...members.map((member) => surrounded(fc.constant(member)))))
  .chain((members) => surrounded(fc.constant(`{${members.join(',') || ' '}}`)));

function surrounded(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.tuple(space, text, space).map((parts) => parts.join(''));
}

function listText(open: string, item: fc.Arbitrary<string>, close: string): fc.Arbitrary<string> {
  const items = fc.array(surrounded(item), { maxLength: 4 });
  return fc.tuple(items, space).map(([texts, empty]) => open + (texts.join(',') || empty) + close);
}

function memberText(name: fc.Arbitrary<string>, value: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.tuple(name, space, surrounded(value)).map(([key, gap, text]) => `${key}${gap}:${text}`);
}

/** At a place some bytes are replaced by others. */
interface Edit {
  at: number;
  removed: number;
  inserted: Buffer;
}

const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.nat(),
  removed: fc.nat({ max: 3 }),
  inserted: fc.oneof(
    fc
      .constantFrom(...'{}[]",:\\u019.eE+-tn \n\0', '', 'NaN', '"images":', ',{}', '\uFEFF', 'ö')
      .map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 2 }).map((bytes) => Buffer.from(bytes)),
  ),
});

function edited(bytes: Buffer, { at, removed, inserted }: Edit): Buffer {
  const from = at % (bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, from), inserted, bytes.subarray(from + removed)]);
}

describe('any JSON text', () => {
  it('is read as JSON.parse reads it, wherever it is cut', () =>
    fc.assert(
      fc.asyncProperty(dataSetText, cutsOf, async (text, cuts) => {
        expect(rebuilt(await split(text, cuts))).toEqual(asked(JSON.parse(text) as object));
      }),
      { numRuns: 500 },
    ));

  it('is refused at the byte where it was cut off', () =>
    fc.assert(
      fc.asyncProperty(dataSetText, fc.nat(), cutsOf, async (text, length, cuts) => {
        const bytes = Buffer.from(text.trimEnd());
        const cut = bytes.subarray(0, length % bytes.length);
        expect(await faultOf(split(cut, cuts))).toMatchObject({ offset: cut.length });
      }),
      { numRuns: 500 },
    ));

  it('is refused at the byte that may be in no JSON', () =>
    fc.assert(
      fc.asyncProperty(
        dataSetText,
        fc.nat(),
        fc.constantFrom(0x00, 0x0b, 0x1f, 0xff),
        cutsOf,
        async (text, at, byte, cuts) => {
          const bytes = Buffer.from(text);
          const offset = characterStart(bytes, at % bytes.length);
          const wrong = Buffer.concat([bytes.subarray(0, offset), Buffer.of(byte), bytes.subarray(offset)]);
          expect(await faultOf(split(wrong, cuts))).toMatchObject({ offset });
        },
      ),
      { numRuns: 500 },
    ));

  it('is taken or refused as by JSON.parse when bytes of it were changed', () =>
    fc.assert(
      fc.asyncProperty(
        dataSetText,
        fc.array(edit, { minLength: 1, maxLength: 3 }),
        cutsOf,
        async (text, edits, cuts) => {
          const bytes = edits.reduce(edited, Buffer.from(text));
          const pieces = split(bytes, cuts);
          const fault = await faultOf(pieces);
          const parsed = parse(bytes);
          if (fault instanceof JsonSyntaxError) {
            expect(parsed).toBeUndefined();
          } else if (fault !== undefined) {
            // Where it is both, either may be said.
            expect(fault).toBeInstanceOf(UnusableJson);
            if (parsed !== undefined) expect(hasProblem(bytes, fault as UnusableJson)).toBe(true);
          } else {
            expect(rebuilt(await pieces)).toEqual(asked(parsed?.value as object));
          }
        },
      ),
      {
        numRuns: 1000,
        // A member that is there twice, of which JSON.parse keeps the one that is right.
        examples: [
          ['{"images2":null,"images":[]}', [{ at: 8, removed: 1, inserted: Buffer.alloc(0) }], []],
          ['{"images2":[{},7],"images":[]}', [{ at: 8, removed: 1, inserted: Buffer.alloc(0) }], []],
        ],
      },
    ));
});

async function split(text: string | Buffer, cuts: number[] = [], options = LAYOUT): Promise<JsonPiece[]> {
  const pieces: JsonPiece[] = [];
  for await (const batch of splitJson(chunksOf(Buffer.from(text), cuts), options)) pieces.push(...batch);
  return pieces;
}

async function* chunksOf(bytes: Buffer, cuts: number[]): AsyncGenerator<Buffer> {
  const borders = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  let from = 0;
  for (const to of borders) {
    yield await Promise.resolve(bytes.subarray(from, to));
    from = to;
  }
}

function everyByte(bytes: Buffer): number[] {
  return [...bytes.keys()];
}

async function faultOf(pieces: Promise<JsonPiece[]>): Promise<unknown> {
  return pieces.then(
    () => undefined,
    (fault: unknown) => fault,
  );
}

/** The first byte of the character that the byte belongs to. */
function characterStart(bytes: Buffer, at: number): number {
  return ((bytes[at] ?? 0) & 0xc0) === 0x80 ? characterStart(bytes, at - 1) : at;
}

function collectedHeapMB(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 2 ** 20;
}

/** The members of an object as it is read here: the ones that were asked for, and the names of the others. */
interface Members {
  values: Map<string, unknown>;
  ignored: Set<string>;
}

function rebuilt(pieces: JsonPiece[]): Members {
  const members: Members = { values: new Map(), ignored: new Set() };
  for (const piece of pieces) {
    if (piece.kind === 'ignored') members.ignored.add(piece.member);
    else if (piece.kind === 'value') members.values.set(piece.member, piece.value);
    else if (piece.kind === 'array') members.values.set(piece.member, []);
    else if (piece.kind === 'element') {
      expect((members.values.get(piece.member) as unknown[]).push(piece.value)).toBe(piece.index + 1);
    }
  }
  return members;
}

function asked(value: object): Members {
  const names = [...LAYOUT.arrays, ...LAYOUT.kept];
  const entries = Object.entries(value);
  return {
    values: new Map(entries.filter(([name]) => names.includes(name))),
    ignored: new Set(entries.map(([name]) => name).filter((name) => !names.includes(name))),
  };
}

function parse(bytes: Buffer): { value: unknown } | undefined {
  try {
    return isUtf8(bytes)
      ? { value: JSON.parse(bytes.toString().replace(/^\uFEFF/, '')) as unknown }
      : undefined;
  } catch {
    return undefined;
  }
}

/** Told by JSON.parse: of the whole text, or of the text up to the place with a null there, for it keeps the last of two members. */
function hasProblem(bytes: Buffer, { problem, place }: UnusableJson): boolean {
  const { offset, member = '', index = 0 } = place;
  const upTo = (end: string): unknown =>
    parse(Buffer.from(`${bytes.toString('utf8', 0, offset)}${end}`))?.value;
  const memberOf = (value: unknown): unknown => (isObject(value) ? value[member] : undefined);
  const is = (char: string): boolean => bytes[offset] === char.charCodeAt(0);
  switch (problem) {
    case 'no-object':
      return !isObject(parse(bytes)?.value);
    case 'repeated-member':
      return memberOf(parse(bytes)?.value) !== undefined;
    case 'member-no-array':
      return !is('[') && memberOf(upTo('null}')) === null;
    case 'element-no-object': {
      const array = memberOf(upTo('null]}'));
      return !is('{') && Array.isArray(array) && array.length === index + 1;
    }
    default:
      return false;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
