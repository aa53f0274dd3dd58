import { setImmediate } from 'node:timers/promises';

/**
 * The values of a whole page would outlive V8's young generation and be collected with the old one; of so few documents
 * they are written and gone before. An export takes an eighth less time so (by turns, 100,000 images).
 */
const DOCUMENTS_AT_ONCE = 25;

/** Decodes what has been read as it is wanted. The event loop has a turn in between: a whole page would take 40 ms of it. */
export async function* decodeFewAtOnce<Read, Document>(
  page: readonly Read[],
  decode: (read: Read) => Document,
): AsyncGenerator<Document[]> {
  for (let at = 0; at < page.length; at += DOCUMENTS_AT_ONCE) {
    yield page.slice(at, at + DOCUMENTS_AT_ONCE).map(decode);
    await setImmediate();
  }
}
