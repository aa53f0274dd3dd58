import { positionOf } from './text-position';

async function* chunks(...texts: (string | Buffer)[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield await Promise.resolve(Buffer.from(text));
}

describe('a position', () => {
  it.each([
    ['the first byte', 'abc', 0, 1, 1],
    ['within the first line', 'abc', 2, 1, 3],
    ['a line feed itself', 'ab\ncd', 2, 1, 3],
    ['the start of a line', 'ab\ncd', 3, 2, 1],
    ['behind lines that end as on Windows', 'a\r\n\r\nb', 5, 3, 1],
    ['behind longer characters, a column each', 'äöü😀x', 10, 1, 5],
    ['behind a byte order mark, which takes none', '\uFEFFab', 4, 1, 2],
    ['the end of the file', 'ab\n', 3, 2, 1],
    ['behind the end of the file', 'ab', 9, 1, 3],
  ])('is %s', async (_, text, offset, line, column) => {
    expect(await positionOf(chunks(text), offset)).toEqual({ line, column });
    const bytes = Buffer.from(text);
    const single = [...bytes.keys()].map((at) => bytes.subarray(at, at + 1));
    expect(await positionOf(chunks(...single), offset)).toEqual({ line, column });
  });

  it('is found without reading what is behind it', async () => {
    async function* file() {
      yield* chunks('ab\n', 'cd');
      throw new Error('read on');
    }
    expect(await positionOf(file(), 4)).toEqual({ line: 2, column: 2 });
  });
});
