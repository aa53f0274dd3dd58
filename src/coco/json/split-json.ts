import type { JsonPiece } from './json-piece';
import { JsonSplitter } from './json-splitter';
import type { SplitOptions } from './split-options';

/** The elements of a part are in memory together, so a larger chunk is read in parts. */
const PART_BYTES_MAX = 2 ** 18;

/**
 * Reads a JSON object of any size, its members in any order, with the memory of a chunk and an element. It accepts
 * what JSON.parse accepts, in UTF-8 and with or without a byte order mark. Who stops early ends the source as well.
 * @returns batches, because a turn of the event loop for each element would take longer than parsing it;
 * where an array begins, a batch ends
 * @throws JsonSyntaxError where the text is no JSON
 * @throws UnusableJson where it is other JSON than was asked for; what comes behind that place is not looked at
 */
export async function* splitJson<Plain = never>(
  chunks: AsyncIterable<Buffer>,
  options: SplitOptions<Plain>,
): AsyncGenerator<JsonPiece<Plain>[], void, undefined> {
  const splitter = new JsonSplitter(options);
  for await (const chunk of chunks) {
    for (let from = 0; from < chunk.length; from += PART_BYTES_MAX) {
      for (const pieces of splitter.read(chunk.subarray(from, from + PART_BYTES_MAX))) {
        if (pieces.length > 0) yield pieces;
      }
    }
  }
  splitter.end();
}
