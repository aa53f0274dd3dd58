const BLOCK_BYTES = 2 ** 18;

/** Bytes of a block that others share: a Buffer for each would cost the garbage collector more than what is in it. */
export interface ByteSpan {
  readonly block: Buffer;
  readonly from: number;
  /** Behind the last one. */
  readonly to: number;
}

let keeping = Buffer.alloc(0);
let kept = 0;

/** @returns a copy, in a block that is filled up and not written again */
export function keep({ block, from, to }: ByteSpan): ByteSpan {
  if (kept + to - from > keeping.length) {
    keeping = Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, to - from));
    kept = 0;
  }
  const begun = kept;
  kept += block.copy(keeping, begun, from, to);
  return { block: keeping, from: begun, to: kept };
}

/** All bytes of a Buffer. */
export function spanOf(block: Buffer): ByteSpan {
  return { block, from: 0, to: block.length };
}

export function lengthOf({ from, to }: ByteSpan): number {
  return to - from;
}

/** @returns the index behind the last byte */
export function writeSpan(target: Buffer, at: number, { block, from, to }: ByteSpan): number {
  return at + block.copy(target, at, from, to);
}
