import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { format, resolveConfig } from 'prettier';
import { latestCells, type HistoryLine, type RecordedCell } from './history';
import { DOCUMENTS_IN, pageTable } from './page-table';
import { memoryPlot, timePlot } from './plots';
import { ROOT } from './root';
import { SCENARIOS } from './scenarios';
import { formatSize } from './size';

const PAGE = path.join(ROOT, 'docs/performance.md');
const PLOTS = path.join(ROOT, 'docs/performance');

/** Rewrites what stands between the markers of docs/performance.md, and its plots; the words around it are somebody's. */
export async function writePage(history: readonly HistoryLine[]): Promise<void> {
  const cells = latestCells(history);
  let page = await readFile(PAGE, 'utf8');
  for (const { name } of SCENARIOS) {
    const measured = cells.filter(({ figures }) => figures[0]?.scenario === name);
    page = replaceBetween(page, name, measured.length === 0 ? 'Not measured yet.' : section(measured));
  }
  // As prettier writes it, which checks this file like every other.
  const options = await resolveConfig(PAGE);
  await writeFile(PAGE, await format(page, { ...options, parser: 'markdown' }));
  await mkdir(PLOTS, { recursive: true });
  await writeFile(path.join(PLOTS, 'time.svg'), timePlot(cells));
  await writeFile(path.join(PLOTS, 'memory.svg'), memoryPlot(cells));
}

function section(cells: readonly RecordedCell[]): string {
  return `${pageTable(cells.flatMap(({ figures }) => figures))}\n\n${origins(cells)}`;
}

/** When, with what, and on what kind of machine; of which sizes, where not all were measured at once. */
function origins(cells: readonly RecordedCell[]): string {
  const all = [...new Set(cells.map(({ line }) => origin(line)))];
  return all
    .map((one) => {
      const columns = cells.filter(({ line }) => origin(line) === one).map(columnOf);
      return (all.length === 1 ? '' : `${[...new Set(columns)].join(', ')}: `) + one;
    })
    .join(' \n');
}

function columnOf({ figures: [figure] }: RecordedCell): string {
  return figure ? `${DOCUMENTS_IN[figure.mode]} ${formatSize(figure.size)}` : '';
}

function origin({ date, commit, isDirty, machine }: HistoryLine): string {
  const { cores, memoryGb, cpu, node, postgres, mongod } = machine;
  const servers = `Node ${node}, PostgreSQL ${postgres}${mongod === null ? '' : `, MongoDB ${mongod}`}`;
  return `${date.slice(0, 10)}, ${commit}${isDirty ? ' with changes' : ''}: ${cores} cores (${cpu}), ${memoryGb} GB, ${servers}.`;
}

function replaceBetween(page: string, name: string, content: string): string {
  const [begin, end] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from === -1 || to < from)
    throw new Error(`docs/performance.md has no place for ${name}: ${begin} … ${end}`);
  return `${page.slice(0, from + begin.length)}\n\n${content}\n\n${page.slice(to)}`;
}
