import type { Findings } from '../../../labeled-images/findings';

export type CheckName = 'counts' | 'ids' | 'references' | 'content';

/** Whether a side of the copy has been edited since. */
export type SourceState = 'same' | 'edited' | 'gone';
export type TargetState = 'same' | 'edited';

export class VerificationCheck {
  /**
   * - `counts`: as many images, ROIs, label classes and documents as were copied
   * - `ids`: every row is the copy of another row of the source, none of which is missing; `order_id` is 1..n
   * - `references`: every image points to the document that was made for it, and documents and ROIs to what is in the task
   * - `content`: rows and documents are what the source's are, with the ids mapped; left out where the source is gone
   * @example "content"
   */
  name!: CheckName;
  /** whether nothing was found */
  ok!: boolean;
  /**
   * how many faults were found; an image may have several
   * @example 0
   */
  count!: number;
  /**
   * of the first few faults the ids: of the image (the source's where the copy has none), the label class or the task; of
   * `counts` the members of the duplication's status that are wrong
   * @example []
   */
  examples!: string[];

  static from(name: CheckName, { count, examples }: Findings): VerificationCheck {
    return { name, ok: count === 0, count, examples: [...examples] };
  }
}

/** The proof that a copy is one. */
export class Verification {
  /** whether all checks are ok */
  verified!: boolean;
  /** without `content` where the source is gone: there is nothing to compare with */
  checks!: VerificationCheck[];
  /**
   * `edited` where annotations were, or where an empty source was filled later; `gone` where it was deleted, even if its id
   * was used again
   * @example "same"
   */
  source!: SourceState;
  /**
   * `edited` where annotations were, or where the copy of an empty task was filled later
   * @example "same"
   */
  target!: TargetState;
}
