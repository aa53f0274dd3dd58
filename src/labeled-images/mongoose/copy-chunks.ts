import type { EntityManager } from 'typeorm';
import type { CopyPlan, CopySlice } from '../../database/copy-plan';

/** An image and the id of its document. */
export type Pointer = readonly [imageId: bigint, documentId: string];

/** Consecutive images of the source, and where their documents are. */
export interface CopyChunk extends CopySlice {
  /** Images whose document has another id: it was edited, or was there before this service. */
  readonly others: readonly Pointer[];
  /** Images without a document. */
  readonly bare: readonly bigint[];
}

const IMAGES_FIRST = 500;
const IMAGES_MAX = 4_000;
/** Of one statement: long enough that its overhead does not count, short enough to notice soon that something is wrong. */
const WORK_MS = 1_000;

/** Cuts slices into chunks that take about as long as each other. */
export class CopyChunks {
  private images = IMAGES_FIRST;

  constructor(
    private readonly manager: EntityManager,
    private readonly plan: CopyPlan,
  ) {}

  /** How long a chunk took says how large the next ones may be: a document is a kilobyte or fifteen megabytes. */
  adapt(tookMs: number): void {
    const factor = Math.min(2, Math.max(0.25, WORK_MS / tookMs));
    this.images = Math.min(IMAGES_MAX, Math.max(1, Math.round(this.images * factor)));
  }

  async *cut(slices: AsyncIterable<CopySlice>): AsyncGenerator<CopyChunk> {
    for await (const slice of slices) {
      const whole = await this.locate(slice);
      for (let { firstId } = whole; firstId <= whole.lastId;) {
        const end = firstId + BigInt(this.images) - 1n;
        const chunk = narrow(whole, firstId, end < whole.lastId ? end : whole.lastId);
        if (chunk.imageRuns.length > 0) yield chunk;
        firstId = chunk.lastId + 1n;
      }
    }
  }

  /** Names no more images than those whose documents cannot be computed. */
  private async locate(slice: CopySlice): Promise<CopyChunk> {
    const { source, documentPrefix, sourceDocumentShift } = this.plan;
    const [row] = await this.manager.query<LocationRow[]>(
      `SELECT
         coalesce(
           json_agg(json_build_array(id::text, mongo_id))
             FILTER (WHERE mongo_id IS NOT NULL AND (mongo_id = $4::text || (id + $5::bigint)) IS NOT TRUE),
           '[]'
         ) AS others,
         coalesce(json_agg(id::text) FILTER (WHERE mongo_id IS NULL), '[]') AS bare
       FROM image
       WHERE task_id = $1::bigint
         AND id BETWEEN $2::bigint AND $3::bigint`,
      [source, slice.firstId, slice.lastId, documentPrefix, sourceDocumentShift],
    );
    const { others, bare } = row!; // aggregates always answer one row
    return {
      ...slice,
      others: others.map(([imageId, documentId]) => [BigInt(imageId), documentId]),
      bare: bare.map(BigInt),
    };
  }
}

/** One half and the other; of a chunk of several images. */
export function halve(chunk: CopyChunk): [CopyChunk, CopyChunk] {
  const middleId = (chunk.firstId + chunk.lastId) / 2n;
  return [narrow(chunk, chunk.firstId, middleId), narrow(chunk, middleId + 1n, chunk.lastId)];
}

function narrow(chunk: CopyChunk, firstId: bigint, lastId: bigint): CopyChunk {
  const isInside = (id: bigint): boolean => firstId <= id && id <= lastId;
  return {
    ...chunk,
    firstId,
    lastId,
    imageRuns: chunk.imageRuns.filter((run) => run.firstId <= lastId && run.lastId >= firstId),
    others: chunk.others.filter(([imageId]) => isInside(imageId)),
    bare: chunk.bare.filter(isInside),
  };
}

interface LocationRow {
  readonly others: readonly (readonly [imageId: string, documentId: string])[];
  readonly bare: readonly string[];
}
