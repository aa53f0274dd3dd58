import type { EntityManager } from 'typeorm';
import type { CopyPlan } from '../../database/copy-plan';
import type { IdRun } from '../../database/id-run';

/** An image and the id of its document. */
export type Pointer = readonly [imageId: bigint, documentId: string];

/** Consecutive images of the source, and where their documents are. */
export interface CopyChunk {
  readonly firstId: bigint;
  readonly lastId: bigint;
  /** The runs that these images lie in. */
  readonly imageRuns: readonly IdRun[];
  readonly roiRuns: readonly IdRun[];
  /** Most documents were made with their images: the number in the id is the image's id plus this. null: none was. */
  readonly shift: bigint | null;
  /** Images whose document has another id: it was edited, or was there before this service. */
  readonly others: readonly Pointer[];
  /** Images without a document. */
  readonly bare: readonly bigint[];
}

/** More branches of a `$switch` than this take longer than more statements. */
const RUNS_MAX = 100;
const IMAGES_MAX = 4_000;
const IMAGES_FIRST = 500;
/** Of one statement: long enough that its overhead does not count, short enough to notice soon that something is wrong. */
const WORK_MS = 1_000;

/** Cuts the images of a snapshot into chunks that take about as long as each other. */
export class CopyChunks {
  private imagesMax: number;
  private images: number;

  constructor(
    private readonly manager: EntityManager,
    private readonly plan: CopyPlan,
  ) {
    // An image has one ROI at the most.
    this.imagesMax = plan.roiRuns.length > RUNS_MAX ? RUNS_MAX : IMAGES_MAX;
    this.images = Math.min(IMAGES_FIRST, this.imagesMax);
  }

  /** How long a chunk took says how large the next ones may be: a document is a kilobyte or fifteen megabytes. */
  adapt(tookMs: number): void {
    const factor = Math.min(2, Math.max(0.25, WORK_MS / tookMs));
    this.images = Math.min(this.imagesMax, Math.max(1, Math.round(this.images * factor)));
  }

  async *read(): AsyncGenerator<CopyChunk> {
    for (const runs of inGroups(this.plan.imageRuns, RUNS_MAX)) {
      const lastId = runs.at(-1)!.lastId; // a group is never empty
      let firstId = runs[0]!.firstId;
      while (firstId <= lastId) {
        const page = await this.readPage(firstId, lastId);
        if (!page) break;
        if (page.pointers > 0) yield await this.toChunk(page, firstId, runs);
        firstId = BigInt(page.lastId) + 1n;
      }
    }
  }

  /** The next images from `firstId` on, with no more of their ids than those whose documents cannot be computed. */
  private async readPage(firstId: bigint, lastId: bigint): Promise<PageRow | undefined> {
    const [row] = await this.manager.query<PageRow[]>(
      `WITH page AS MATERIALIZED (
         SELECT
           id, mongo_id,
           CASE WHEN mongo_id ~ ($5::text || '[0-9]{19}$') AND substr(mongo_id, 6) <= '${INT64_MAX}'
             THEN substr(mongo_id, 6)::bigint - id END AS shift
         FROM image
         WHERE task_id = $1::bigint
           AND id BETWEEN $2::bigint AND $3::bigint
         ORDER BY id
         LIMIT $4::int
       )
       SELECT
         max(id) AS "lastId", count(mongo_id)::int AS pointers, common.shift,
         coalesce(
           json_agg(json_build_array(id::text, mongo_id))
             FILTER (WHERE mongo_id IS NOT NULL AND (page.shift = common.shift) IS NOT TRUE),
           '[]'
         ) AS others,
         coalesce(json_agg(id::text) FILTER (WHERE mongo_id IS NULL), '[]') AS bare
       FROM page
       CROSS JOIN (SELECT mode() WITHIN GROUP (ORDER BY shift) AS shift FROM page) AS common
       GROUP BY common.shift`,
      [this.plan.source, String(firstId), String(lastId), this.images, `^${this.plan.documentPrefix}`],
    );
    return row;
  }

  private async toChunk(page: PageRow, firstId: bigint, runs: readonly IdRun[]): Promise<CopyChunk> {
    const lastId = BigInt(page.lastId);
    return {
      firstId,
      lastId,
      imageRuns: runs.filter((run) => run.firstId <= lastId && run.lastId >= firstId),
      roiRuns: await this.roiRuns(firstId, lastId),
      shift: page.shift === null ? null : BigInt(page.shift),
      others: page.others.map(([imageId, documentId]) => [BigInt(imageId), documentId]),
      bare: page.bare.map(BigInt),
    };
  }

  /** All runs of ROIs, or, of a task with scattered ones, those of these images: a ROI elsewhere would be a wrong one. */
  private async roiRuns(firstId: bigint, lastId: bigint): Promise<readonly IdRun[]> {
    const { source, roiRuns } = this.plan;
    if (roiRuns.length <= RUNS_MAX) return roiRuns;
    const rows = await this.manager.query<{ id: string }[]>(
      `SELECT id
       FROM roi_image
       WHERE task_id = $1::bigint
         AND image_id BETWEEN $2::bigint AND $3::bigint`,
      [source, String(firstId), String(lastId)],
    );
    const ids = rows.map(({ id }) => BigInt(id));
    return roiRuns.filter((run) => ids.some((id) => run.firstId <= id && id <= run.lastId));
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

interface PageRow {
  readonly lastId: string;
  readonly pointers: number;
  readonly shift: string | null;
  readonly others: readonly (readonly [imageId: string, documentId: string])[];
  readonly bare: readonly string[];
}

/** Nineteen digits may be more than a bigint holds. */
const INT64_MAX = '9223372036854775807';

function* inGroups<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}
