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

/** The runs as the three columns of `unnest($n::bigint[], …) AS run (first_id, last_id, shift)`. */
export function runColumns(
  runs: readonly IdRun[],
): [firstIds: string[], lastIds: string[], shifts: string[]] {
  return [
    runs.map(({ firstId }) => String(firstId)),
    runs.map(({ lastId }) => String(lastId)),
    runs.map(({ shift }) => String(shift)),
  ];
}
