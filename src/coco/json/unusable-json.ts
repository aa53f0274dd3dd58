/** 'no-object' is the file itself: its top level has to be an object. */
export type JsonProblem =
  | 'no-object'
  | 'name-too-long'
  | 'repeated-member'
  | 'member-no-array'
  | 'member-too-large'
  | 'member-too-deep'
  | 'element-no-object'
  | 'element-too-large'
  | 'element-too-deep';

/** What a problem is about: where it begins, counted from the start of the file, and what it is called there. */
export interface JsonPlace {
  readonly offset: number;
  readonly member?: string;
  readonly index?: number;
}

/** The text is JSON as far as it was read, but not of the shape, or beyond the bounds, that were asked for. */
export class UnusableJson extends Error {
  constructor(
    readonly problem: JsonProblem,
    readonly place: JsonPlace,
  ) {
    super(`${problem} at byte ${place.offset}`);
  }
}
