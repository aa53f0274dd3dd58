import { withDerived } from './derived';
import type { Figure } from './figure';
import type { RecordedFigure } from './history';
import { MODES } from './mode';
import { formatSize } from './size';
import { formatGoal, formatNumber, formatVerdict } from './verdict';

/** As the page calls the modes. */
export const DOCUMENTS_IN = { postgres: 'PostgreSQL', mongo: 'MongoDB' } as const;

/** A table of one scenario in Markdown: a row for each figure, a column for each size. */
export function pageTable(recorded: readonly RecordedFigure[]): string {
  const known = new Map<Figure, RecordedFigure>(
    recorded.map((figure) => [{ ...figure, values: [figure.median] }, figure]),
  );
  const figures = withDerived([...known.keys()]);
  const sizes = [...new Set(figures.map(({ size }) => size))].sort((one, other) => one - other);
  const rows = MODES.flatMap((mode) => {
    const ofMode = figures.filter((figure) => figure.mode === mode);
    return [...new Set(ofMode.map(({ what }) => what))].map((what) => {
      const row = ofMode.filter((figure) => figure.what === what);
      const cells = sizes.map((size) => {
        const figure = row.find((candidate) => candidate.size === size);
        return figure ? cellText(figure, known.get(figure)) : '';
      });
      // Small tasks may have none.
      const judged = row.find(({ goal }) => goal !== undefined);
      return [DOCUMENTS_IN[mode], what, ...cells, judged ? formatGoal(judged) : ''];
    });
  });
  const head = ['documents in', '', ...sizes.map((size) => `${formatSize(size)} images`), 'goal'];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** The median, from where to where the runs were, and whether it is what was wanted. */
function cellText(figure: Figure, recorded: RecordedFigure | undefined): string {
  const [median = NaN] = figure.values;
  const value = `${formatNumber(median)} ${figure.unit === 'x' ? '×' : figure.unit}`;
  const spread =
    recorded && recorded.runs > 1 ? ` (${formatNumber(recorded.min)}–${formatNumber(recorded.max)})` : '';
  const verdict = formatVerdict(figure);
  return value + spread + (verdict === 'MISSED' ? ' **missed**' : '');
}
