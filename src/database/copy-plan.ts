import type { DocumentRange } from './document-range';
import type { IdRun } from './id-run';

/** What a duplication is going to write, fixed before its snapshot: every new id follows from it by arithmetic. */
export interface CopyPlan {
  readonly source: string;
  readonly target: string;
  readonly imageRuns: readonly IdRun[];
  readonly roiRuns: readonly IdRun[];
  /** The number in the id of a new image's document is the image's new id plus this. */
  readonly documentShift: bigint;
  readonly documentPrefix: string;
  /** One id for each image, whether it has a document or not; null where there is no image. */
  readonly documents: DocumentRange | null;
  readonly imageCount: number;
  readonly roiCount: number;
  readonly labelClassCount: number;
  readonly documentCount: number;
}
