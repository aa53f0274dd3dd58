/** Document ids from the first to the last one, both in it. The 24 digits of an id compare as text. */
export interface DocumentRange {
  readonly firstId: string;
  readonly lastId: string;
}

/** The ids of `count` documents, at least one, from this reserved number on; `prefix` is the installation's. */
export function documentRange(prefix: string, firstNumber: bigint, count: number): DocumentRange {
  return { firstId: prefix + String(firstNumber), lastId: prefix + String(firstNumber + BigInt(count) - 1n) };
}
