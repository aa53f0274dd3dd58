export interface SplitOptions<Plain = never> extends Partial<SplitBounds> {
  /** The members that are read element by element: arrays of objects. */
  readonly arrays: readonly string[];
  /** The members that are read as a whole; a name is in one of the two lists at most. */
  readonly kept: readonly string[];
  /** Who reads the elements of a member before JSON.parse would; null: nobody. */
  readonly plainReader?: (member: string) => PlainReader<Plain> | null;
}

export interface PlainReader<Plain> {
  /**
   * Reads the element that begins at `from`. `text` is good for the time of the call, and may break off in the element.
   * @returns null for what it does not take: also all that is no JSON, or not whole
   */
  read(text: Buffer, from: number): Plain | null;
  /** The index behind the last byte of what it has taken last. */
  readonly end: number;
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
