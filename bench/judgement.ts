import { writeFile } from 'node:fs/promises';
import { withDerived } from './derived';
import type { Figure } from './figure';
import { cellOf, latestCells, readHistory, type RecordedFigure } from './history';
import { CAN_MEASURE_MEMORY } from './memory';
import type { Mode } from './mode';
import { formatSize } from './size';
import { formatNumber } from './verdict';

/** A ratio that is so many times worse than the recorded one is no noise. */
const WORSE_MAX = 2;
/** And so is memory that grows like this from the smallest task to the largest. */
const GROWTH_MAX = 1.35;

interface Finding {
  readonly what: string;
  readonly outcome: 'passed' | 'failed' | 'pending';
  readonly because: string;
}

/**
 * Compares ratios with those that were recorded last, never times: those belong to a machine.
 * @param report where the outcome is written in the form of a report of Jest, which CI counts
 */
export async function isQuickRunGood(
  figures: readonly Figure[],
  wanted: readonly Mode[],
  report: string | undefined,
): Promise<boolean> {
  const recorded = latestCells(await readHistory()).flatMap((cell) => cell.figures);
  const growths = withDerived(figures)
    .slice(figures.length)
    .filter(({ scenario }) => scenario === 'memory');
  const findings = [
    ...figures.filter(({ unit }) => unit === 'x').map((figure) => judgeRatio(figure, recorded)),
    ...growths.map(judgeGrowth),
    ...wanted.filter((mode) => figures.every((figure) => figure.mode !== mode)).map(notMeasured),
    ...missing(figures, recorded),
    ...withoutMemory(figures, growths),
  ];
  for (const { what, outcome, because } of findings) console.log(`${outcome.padEnd(8)} ${what}: ${because}`);
  const count = (outcome: Finding['outcome']): number =>
    findings.filter((finding) => finding.outcome === outcome).length;
  const counts = {
    numPassedTests: count('passed'),
    numFailedTests: count('failed'),
    numPendingTests: count('pending'),
  };
  if (report !== undefined) await writeFile(report, JSON.stringify(counts));
  return counts.numFailedTests === 0;
}

/** By its best run: what disturbs one run does not disturb all of them. */
function judgeRatio(figure: Figure, recorded: readonly RecordedFigure[]): Finding {
  const what = nameOf(figure);
  const accepted = recorded.find((other) => nameOf(other) === what);
  if (!accepted) return { what, outcome: 'pending', because: 'nothing is recorded to compare it with' };
  const isAtMost = !(figure.goal && 'atLeast' in figure.goal);
  const best = isAtMost ? Math.min(...figure.values) : Math.max(...figure.values);
  const worse = isAtMost ? best / accepted.median : accepted.median / best;
  const because = `${formatNumber(best)} at best, ${formatNumber(accepted.median)} recorded`;
  return { what, outcome: worse > WORSE_MAX ? 'failed' : 'passed', because };
}

function judgeGrowth(figure: Figure): Finding {
  const [growth = 0] = figure.values;
  return {
    what: nameOf(figure),
    outcome: growth > GROWTH_MAX ? 'failed' : 'passed',
    because: `${formatNumber(growth)} of at most ${GROWTH_MAX}`,
  };
}

/** Ratios that are recorded of something that was measured, and are not there any more. */
function missing(figures: readonly Figure[], recorded: readonly RecordedFigure[]): Finding[] {
  const cells = new Set(figures.map(cellOf));
  const names = new Set(figures.map(nameOf));
  return recorded
    .filter((figure) => figure.unit === 'x' && cells.has(cellOf(figure)) && !names.has(nameOf(figure)))
    .map((figure) => ({ what: nameOf(figure), outcome: 'failed', because: 'recorded, and not measured' }));
}

/** Memory is measured wherever a copy is, on Linux. */
function withoutMemory(figures: readonly Figure[], growths: readonly Figure[]): Finding[] {
  if (!CAN_MEASURE_MEMORY) return [];
  const modes = [...new Set(figures.map(({ mode }) => mode))];
  return modes
    .filter((mode) => growths.every((figure) => figure.mode !== mode))
    .map((mode) => ({ what: `memory ${mode}`, outcome: 'failed', because: 'not measured' }));
}

function notMeasured(mode: Mode): Finding {
  return { what: mode, outcome: 'pending', because: 'not measured, there is no mongod' };
}

function nameOf({
  scenario,
  mode,
  size,
  what,
}: Pick<RecordedFigure, 'scenario' | 'mode' | 'size' | 'what'>): string {
  return `${scenario} ${mode} ${formatSize(size)} ${what}`;
}
