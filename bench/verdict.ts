import { isMet, type Figure } from './figure';

const WORTH_READING = 3;

/** In as many digits as are worth reading. */
export function formatNumber(value: number): string {
  const isLarge = Math.abs(value) >= 10 ** WORTH_READING;
  const rounded = isLarge ? Math.round(value) : Number(value.toPrecision(WORTH_READING));
  return rounded.toLocaleString('en', { maximumSignificantDigits: 21 });
}

export function formatGoal({ goal }: Pick<Figure, 'goal'>): string {
  if (goal === undefined) return '';
  return 'atMost' in goal ? `≤ ${formatNumber(goal.atMost)}` : `≥ ${formatNumber(goal.atLeast)}`;
}

export function formatVerdict(figure: Figure): string {
  const met = isMet(figure);
  return met === undefined ? '' : met ? 'met' : 'MISSED';
}
