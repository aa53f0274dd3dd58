/** A run of a table's ids that keeps its gaps in the copy: `new id = old id + shift`. */
export interface IdRun {
  readonly firstId: bigint;
  readonly lastId: bigint;
  readonly shift: bigint;
}

/** A span of ids in use, before it is known where its copy goes. */
export type IdSpan = Pick<IdRun, 'firstId' | 'lastId'>;

/** How many ids the copies of these spans take, gaps included. */
export function widthOf(spans: readonly IdSpan[]): number {
  return spans.reduce((width, { firstId, lastId }) => width + Number(lastId - firstId) + 1, 0);
}

/** Lays the copies of the spans side by side from `firstNewId` on. */
export function shiftRuns(spans: readonly IdSpan[], firstNewId: bigint): IdRun[] {
  let next = firstNewId;
  return spans.map(({ firstId, lastId }) => {
    const shift = next - firstId;
    next += lastId - firstId + 1n;
    return { firstId, lastId, shift };
  });
}

/** Cuts the runs, in their order, into groups of so many ids and so many runs at the most. */
export function* sliceRuns(runs: readonly IdRun[], idsMax: number, runsMax: number): Generator<IdRun[]> {
  let slice: IdRun[] = [];
  for (const run of runs) {
    for (let { firstId } = run; firstId <= run.lastId;) {
      const room = BigInt(idsMax - widthOf(slice));
      const lastId = run.lastId - firstId < room ? run.lastId : firstId + room - 1n;
      slice.push({ ...run, firstId, lastId });
      firstId = lastId + 1n;
      if (widthOf(slice) < idsMax && slice.length < runsMax) continue;
      yield slice;
      slice = [];
    }
  }
  if (slice.length > 0) yield slice;
}

/** Those of the runs that any of these ids lies in; the runs are in the order of their ids. */
export function runsWith(runs: readonly IdRun[], ids: readonly bigint[]): IdRun[] {
  const places = new Set(ids.map((id) => lastAtOrBelow(runs, id)));
  return [...places].sort((a, b) => a - b).flatMap((place) => runs[place] ?? []);
}

/** By binary search; -1 where all begin behind the id. */
function lastAtOrBelow(runs: readonly IdRun[], id: bigint): number {
  let [low, high] = [0, runs.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    // The middle is below the length.
    if (runs[middle]!.firstId <= id) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The runs, in the order of their ids, as three parameters for `shiftedId`. */
export function runColumns(
  runs: readonly IdRun[],
): [firstIds: string[], lastIds: string[], shifts: string[]] {
  return [
    runs.map(({ firstId }) => String(firstId)),
    runs.map(({ lastId }) => String(lastId)),
    runs.map(({ shift }) => String(shift)),
  ];
}

/**
 * SQL for the new id of `id`, NULL for one in no run; the `runColumns` are the parameters from `$n` on. Among several runs
 * a lookup by binary search, because a join would compare every row with every run; the usual one run needs none, which
 * takes a fourteenth off the whole copy.
 */
export function shiftedId(id: string, n: number, runs: readonly IdRun[]): string {
  const run = runs.length === 1 ? '1' : `width_bucket(${id}, $${String(n)}::bigint[])`;
  const valueOf = (column: number): string => `($${String(n + column)}::bigint[])[${run}]`;
  return `CASE WHEN ${id} BETWEEN ${valueOf(0)} AND ${valueOf(1)} THEN ${id} + ${valueOf(2)} END`;
}
