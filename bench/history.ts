import { appendFile, readFile } from 'node:fs/promises';
import path from 'node:path';
import { median, type Figure } from './figure';
import type { Machine } from './machine';
import { ROOT } from './root';
import type { Version } from './version';

const FILE = path.join(ROOT, 'bench/history.jsonl');

/** One run; whoever commits the line accepts what it says. */
export interface HistoryLine extends Version {
  readonly date: string;
  readonly machine: Machine;
  readonly figures: readonly RecordedFigure[];
}

/** A figure with its median and spread in place of the values. */
export interface RecordedFigure extends Omit<Figure, 'values'> {
  readonly runs: number;
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export async function readHistory(): Promise<HistoryLine[]> {
  const text = await readFile(FILE, 'utf8').catch((fault: unknown) => {
    if ((fault as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw fault;
  });
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as HistoryLine);
}

export async function appendHistory(line: HistoryLine): Promise<void> {
  await appendFile(FILE, `${JSON.stringify(line)}\n`);
}

export function toRecorded({ values, ...figure }: Figure): RecordedFigure {
  return {
    ...figure,
    runs: values.length,
    median: rounded(median(values)),
    min: rounded(Math.min(...values)),
    max: rounded(Math.max(...values)),
  };
}

/** What one run recorded of one scenario with one size and mode. */
export interface RecordedCell {
  readonly line: HistoryLine;
  readonly figures: readonly RecordedFigure[];
}

/** Of each scenario, size and mode what was recorded last: a run of small sizes leaves the large ones standing. */
export function latestCells(history: readonly HistoryLine[]): RecordedCell[] {
  const cells = new Map<string, RecordedCell>();
  for (const line of history) {
    for (const key of new Set(line.figures.map(cellOf))) {
      cells.set(key, { line, figures: line.figures.filter((figure) => cellOf(figure) === key) });
    }
  }
  return [...cells.values()];
}

export function cellOf({ scenario, mode, size }: Pick<RecordedFigure, 'scenario' | 'mode' | 'size'>): string {
  return `${scenario} ${mode} ${size}`;
}

function rounded(value: number): number {
  return Number(value.toPrecision(5));
}
