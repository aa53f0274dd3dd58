import type { RecordedCell } from './history';
import { plot, type Line } from './svg-plot';

/** Of the copy: both modes, each against its floor. */
export function timePlot(cells: readonly RecordedCell[]): string {
  const lines = [
    line(cells, 'copy', 'postgres', 'product: first byte', 'documents in PostgreSQL', { color: BLUE }),
    line(cells, 'copy', 'postgres', 'floor: rows', 'floor of PostgreSQL', { color: BLUE, isDashed: true }),
    line(cells, 'copy', 'mongo', 'product: first byte', 'documents in MongoDB', { color: GREEN }),
    line(cells, 'copy', 'mongo', 'floor: rows + documents', 'floor of both', {
      color: GREEN,
      isDashed: true,
    }),
  ];
  return plot({
    title: 'Duration of a copy',
    xLabel: 'images',
    yLabel: 'seconds',
    isLogarithmic: true,
    lines,
  });
}

/** Of the service, for what is streamed through it, against one that does nothing. */
export function memoryPlot(cells: readonly RecordedCell[]): string {
  const lines = (['postgres', 'mongo'] as const).flatMap((mode) => {
    const [color, importColor] = mode === 'postgres' ? [BLUE, PURPLE] : [GREEN, AMBER];
    const where = mode === 'postgres' ? 'PostgreSQL' : 'MongoDB';
    return [
      line(cells, 'memory', mode, 'import', `import, ${where}`, { color: importColor }),
      line(cells, 'memory', mode, 'copy and answer', `copy and answer, ${where}`, { color }),
      line(cells, 'memory', mode, 'idle', `idle, ${where}`, { color, isDashed: true }),
    ];
  });
  return plot({
    title: 'Peak memory of the service',
    xLabel: 'images',
    yLabel: 'MB',
    isLogarithmic: false,
    lines,
  });
}

const BLUE = '#1f6feb';
const GREEN = '#1a7f37';
const PURPLE = '#8250df';
const AMBER = '#bf8700';

function line(
  cells: readonly RecordedCell[],
  scenario: string,
  mode: string,
  what: string,
  name: string,
  style: Pick<Line, 'color' | 'isDashed'>,
): Line {
  const points = cells
    .flatMap(({ figures }) => figures)
    .filter((figure) => figure.scenario === scenario && figure.mode === mode && figure.what === what)
    .map(({ size, median }) => ({ x: size, y: median }))
    .sort((one, other) => one.x - other.x);
  return { name, points, ...style };
}
