import { isUtf8 } from 'node:buffer';

/** Checks that a file is UTF-8, chunk by chunk, also where a chunk's border cuts a character. */
export class Utf8Check {
  /** The first bytes of a character whose others are in the next chunk. */
  private cut = Buffer.alloc(0);

  /** @returns where the first wrong character begins, negative if in the chunk before; undefined if there is none */
  findFault(chunk: Buffer): number | undefined {
    const text = this.cut.length > 0 ? Buffer.concat([this.cut, chunk]) : chunk;
    const whole = text.subarray(0, text.length - cutLength(text));
    if (!isUtf8(whole)) return firstFault(whole) - this.cut.length;
    this.cut = Buffer.from(text.subarray(whole.length));
    return undefined;
  }
}

/** How many bytes at the end are the beginning of a longer character. */
function cutLength(text: Buffer): number {
  for (let length = 1; length <= 3; length++) {
    const byte = text.at(-length) ?? 0;
    if (!isContinuation(byte)) return characterLength(byte) > length ? length : 0;
  }
  return 0;
}

/** The slow way, character by character; for a text that is known to be wrong. */
function firstFault(text: Buffer): number {
  let at = 0;
  for (;;) {
    const end = at + characterLength(text[at] ?? 0);
    if (!isUtf8(text.subarray(at, end))) return at;
    at = end;
  }
}

function isContinuation(byte: number): boolean {
  return byte >= 0x80 && byte < 0xc0;
}

/** By the first byte (RFC 3629); 1 for a byte that may not be one, which isUtf8 then refuses. */
function characterLength(first: number): number {
  if (first < 0xc2 || first > 0xf4) return 1;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}
