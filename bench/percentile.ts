/** By nearest rank: a value that was measured. `share` is in (0, 1]. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  const value = sorted[Math.ceil(share * sorted.length) - 1];
  if (value === undefined) throw new Error('a percentile of nothing');
  return value;
}
