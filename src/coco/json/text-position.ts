const LINE_FEED = 0x0a;
const BYTE_ORDER_MARK_START = 0xef;

/** A place in a text as editors show it: counted from 1, a column for each code point. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

/**
 * Says where a byte of a UTF-8 file is. Reads the file from its start to there, and ends the source; a place behind
 * the end of the file is taken for the end.
 */
export async function positionOf(file: AsyncIterable<Buffer>, offset: number): Promise<TextPosition> {
  let position: TextPosition = { line: 1, column: 1 };
  let readBytes = 0;
  for await (const chunk of file) {
    // A byte order mark takes no column. Nothing else can begin like it: it would itself be the first fault of a file.
    const isMarked = readBytes === 0 && chunk[0] === BYTE_ORDER_MARK_START;
    position = advance(position, chunk.subarray(isMarked ? 1 : 0, Math.max(0, offset - readBytes)));
    readBytes += chunk.length;
    if (readBytes >= offset) break;
  }
  return position;
}

function advance({ line, column }: TextPosition, text: Buffer): TextPosition {
  for (const byte of text) {
    if (byte === LINE_FEED) {
      line++;
      column = 1;
    } else if (!isContinuation(byte)) {
      column++;
    }
  }
  return { line, column };
}

/** A byte of a longer character that isn't its first. */
function isContinuation(byte: number): boolean {
  return byte >= 0x80 && byte < 0xc0;
}
