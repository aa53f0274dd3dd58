import { formatSize } from './size';
import { formatNumber } from './verdict';

export interface Line {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
  readonly color: string;
  readonly isDashed?: boolean;
}

export interface Plot {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** Of the y axis; that of sizes always is. */
  readonly isLogarithmic: boolean;
  readonly lines: readonly Line[];
}

const [WIDTH, HEIGHT] = [720, 400];
const AREA = { left: 64, right: 480, top: 40, bottom: 352 };
const LEGEND_LINE = 22;

/** A picture of lines over sizes, the same text for the same figures, so that a commit shows what has changed. */
export function plot({ title, xLabel, yLabel, isLogarithmic, lines }: Plot): string {
  const drawn = lines.filter(({ points }) => points.length > 0);
  const points = drawn.flatMap((line) => line.points);
  const x = scale(
    points.map((point) => point.x),
    true,
    AREA.left,
    AREA.right,
  );
  const y = scale(
    points.map((point) => point.y),
    isLogarithmic,
    AREA.bottom,
    AREA.top,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    text(AREA.left, 22, title, 'start', 'font-weight="bold"'),
    ...x.ticks.flatMap((at) => [
      stroke(x.place(at), AREA.top, x.place(at), AREA.bottom),
      text(x.place(at), AREA.bottom + 18, formatSize(at), 'middle'),
    ]),
    ...y.ticks.flatMap((at) => [
      stroke(AREA.left, y.place(at), AREA.right, y.place(at)),
      text(AREA.left - 8, y.place(at) + 4, formatNumber(at), 'end'),
    ]),
    text((AREA.left + AREA.right) / 2, HEIGHT - 10, xLabel, 'middle'),
    text(AREA.left - 8, AREA.top - 12, yLabel, 'end'),
    ...drawn.flatMap((line, at) => [
      ...curve(line, x.place, y.place),
      `<path d="M${AREA.right + 12} ${AREA.top + at * LEGEND_LINE}h24" ${penOf(line)}/>`,
      text(AREA.right + 42, AREA.top + at * LEGEND_LINE + 4, line.name, 'start'),
    ]),
    '</svg>\n',
  ].join('\n');
}

type Place = (value: number) => number;

/** Logarithmic ones go from one power of ten to another, the others begin at 0. */
function scale(
  values: readonly number[],
  isLogarithmic: boolean,
  from: number,
  to: number,
): { place: Place; ticks: number[] } {
  const largest = Math.max(1, ...values);
  if (isLogarithmic) {
    const [low, high] = [
      Math.floor(Math.log10(Math.min(largest, ...values))),
      Math.ceil(Math.log10(largest)),
    ];
    const decades = Math.max(1, high - low);
    const ticks = Array.from({ length: decades + 1 }, (_, at) => 10 ** (low + at));
    return { place: (value) => from + ((Math.log10(value) - low) / decades) * (to - from), ticks };
  }
  const step = 10 ** Math.floor(Math.log10(largest)) / 2;
  const steps = Math.ceil(largest / step);
  const ticks = Array.from({ length: steps + 1 }, (_, at) => at * step);
  return { place: (value) => from + (value / (steps * step)) * (to - from), ticks };
}

function curve(line: Line, x: Place, y: Place): string[] {
  const at = line.points.map((point) => [rounded(x(point.x)), rounded(y(point.y))] as const);
  return [
    `<path d="M${at.map((pair) => pair.join(' ')).join('L')}" ${penOf(line)}/>`,
    ...at.map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="3" fill="${line.color}"/>`),
  ];
}

function penOf({ color, isDashed }: Line): string {
  return `fill="none" stroke="${color}" stroke-width="2"${isDashed ? ' stroke-dasharray="6 4"' : ''}`;
}

function stroke(x1: number, y1: number, x2: number, y2: number): string {
  return `<path d="M${rounded(x1)} ${rounded(y1)}L${rounded(x2)} ${rounded(y2)}" stroke="#d0d7de"/>`;
}

function text(x: number, y: number, content: string, anchor: string, style = ''): string {
  return `<text x="${rounded(x)}" y="${rounded(y)}" text-anchor="${anchor}" ${style}>${content}</text>`;
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
