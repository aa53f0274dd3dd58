export interface SplitOptions<Plain = never> extends Partial<SplitBounds> {
  /** The members that are read element by element: arrays of objects. */
  readonly arrays: readonly string[];
  /** The members that are read as a whole; a name is in one of the two lists at most. */
  readonly kept: readonly string[];
  /**
   * Reads an element before JSON.parse would; `text` is good for the time of the call.
   * @returns null for what it does not take: also all that is no JSON
   */
  readonly readPlain?: (member: string, text: Buffer) => Plain | null;
}

export interface SplitBounds {
  /** For the text of an element. */
  readonly elementBytesMax: number;
  /** For the text of a kept member, and for any member's name. */
  readonly keptBytesMax: number;
  /** For the brackets around a value, in an element or a kept member. */
  readonly depthMax: number;
}

export const SPLIT_BOUNDS: SplitBounds = {
  // Far above the 15 MB of a document, and far below the 512 MB where V8's strings end.
  elementBytesMax: 64 * 2 ** 20,
  keptBytesMax: 2 ** 20,
  // JSON.parse takes any depth, but JSON.stringify and whatever else recurses over the value does not.
  depthMax: 1000,
};
