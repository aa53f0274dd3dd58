export type JsonObject = Readonly<Record<string, unknown>>;

/** What a JSON object holds, piece by piece in the order of the file. */
export type JsonPiece<Plain = never> =
  ArrayPiece | ElementPiece | PlainPiece<Plain> | ValuePiece | IgnoredPiece;

/** An array that was asked for begins; it may be empty. */
export interface ArrayPiece {
  readonly kind: 'array';
  readonly member: string;
}

/** An element of such an array. */
export interface ElementPiece {
  readonly kind: 'element';
  readonly member: string;
  readonly index: number;
  readonly value: JsonObject;
  /** The length of its text. */
  readonly bytes: number;
}

/** An element that a `PlainReader` has read. */
export interface PlainPiece<Plain> {
  readonly kind: 'plain';
  readonly member: string;
  readonly value: Plain;
  /** The length of its text. */
  readonly bytes: number;
}

/** A member that was asked for as a whole. */
export interface ValuePiece {
  readonly kind: 'value';
  readonly member: string;
  readonly value: unknown;
}

/** A member that nobody asked for has ended; it was JSON. */
export interface IgnoredPiece {
  readonly kind: 'ignored';
  readonly member: string;
}
