import { EXAMPLES_MAX } from './document-faults';

/** What one look at a task has found. */
export interface Findings {
  /** How many faults. */
  readonly count: number;
  /** The ids of the first few. */
  readonly examples: readonly string[];
}

export const NO_FINDINGS: Findings = { count: 0, examples: [] };

/** A SELECT of one row of Findings from `faults`, a SELECT of (id, place): so that any number of them takes no room here. */
export function findingsIn(faults: string): string {
  return `
    SELECT
      count(*)::int AS count,
      coalesce(array_agg(id::text ORDER BY nth) FILTER (WHERE nth <= ${String(EXAMPLES_MAX)}), '{}') AS examples
    FROM (
      SELECT id, row_number() OVER (ORDER BY place) AS nth
      FROM (${faults}) AS fault (id, place)
    ) AS fault`;
}

/** One is the sum of the others. */
export function together(findings: readonly Findings[]): Findings {
  return {
    count: findings.reduce((sum, { count }) => sum + count, 0),
    examples: [...new Set(findings.flatMap(({ examples }) => examples))].slice(0, EXAMPLES_MAX),
  };
}
