import { median, type Figure } from './figure';
import { formatSize } from './size';
import { formatGoal, formatNumber, formatVerdict } from './verdict';

const HEAD = ['scenario', 'documents', 'images', '', 'median', 'spread', '', 'goal', ''];

/** For the terminal. */
export function resultTable(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.scenario,
    figure.mode,
    formatSize(figure.size),
    figure.what,
    formatNumber(median(figure.values)),
    spread(figure),
    figure.unit,
    formatGoal(figure),
    formatVerdict(figure),
  ]);
  const widths = HEAD.map((_, column) => Math.max(...[HEAD, ...rows].map((row) => row[column]?.length ?? 0)));
  return [HEAD, ...rows]
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function spread({ values }: Figure): string {
  if (values.length === 1) return '';
  return `${formatNumber(Math.min(...values))}–${formatNumber(Math.max(...values))}`;
}
