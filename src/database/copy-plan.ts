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
  /** The same for most documents of the source; null where their ids are of another kind. */
  readonly sourceDocumentShift: bigint | null;
  readonly documentPrefix: string;
  /** One id for each image, whether it has a document or not; null where there is no image. */
  readonly documents: DocumentRange | null;
  readonly imageCount: number;
  /** The highest `order_id` of the images; more than there are images where there are gaps. */
  readonly lastOrderId: number;
  readonly roiCount: number;
  readonly labelClassCount: number;
  readonly documentCount: number;
}

/** Images of the source that follow each other by id, so many as a statement copies within a fraction of a second. */
export interface CopySlice {
  readonly firstId: bigint;
  readonly lastId: bigint;
  /** The runs that these images lie in. */
  readonly imageRuns: readonly IdRun[];
  /** The runs that their ROIs lie in, and perhaps others. */
  readonly roiRuns: readonly IdRun[];
}
