/** Milliseconds since 1970 with fractions, to be compared with times that a database on this machine tells. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

/** @returns seconds */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1_000;
}
