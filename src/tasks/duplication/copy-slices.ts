import type { EntityManager } from 'typeorm';
import type { CopyPlan, CopySlice } from '../../database/copy-plan';
import { runsWith, sliceRuns, type IdRun } from '../../database/id-run';

/** Of one slice: more are no faster, and fewer cost round trips. */
const IDS_MAX = 4_000;
/** Runs become branches of an expression in MongoDB: with more of them it takes longer than with more statements. */
const RUNS_MAX = 100;

/** All images of the source, slice by slice. */
export async function* copySlices(manager: EntityManager, plan: CopyPlan): AsyncGenerator<CopySlice> {
  // An image has one ROI at the most.
  const idsMax = plan.roiRuns.length > RUNS_MAX ? RUNS_MAX : IDS_MAX;
  for (const imageRuns of sliceRuns(plan.imageRuns, idsMax, RUNS_MAX)) {
    const [firstId, lastId] = [imageRuns[0]!.firstId, imageRuns.at(-1)!.lastId]; // a slice is never empty
    const roiRuns = await roiRunsOf(manager, plan, firstId, lastId);
    yield { firstId, lastId, imageRuns, roiRuns };
  }
}

/** All runs of ROIs, or, of a task with scattered ones, those of these images: a ROI elsewhere would be a wrong one. */
async function roiRunsOf(
  manager: EntityManager,
  { source, roiRuns }: CopyPlan,
  firstId: bigint,
  lastId: bigint,
): Promise<readonly IdRun[]> {
  if (roiRuns.length <= RUNS_MAX) return roiRuns;
  const rows = await manager.query<{ id: string }[]>(
    `SELECT id
     FROM roi_image
     WHERE task_id = $1::bigint
       AND image_id BETWEEN $2::bigint AND $3::bigint`,
    [source, String(firstId), String(lastId)],
  );
  return runsWith(
    roiRuns,
    rows.map(({ id }) => BigInt(id)),
  );
}
