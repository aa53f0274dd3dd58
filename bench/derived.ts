import type { Figure } from './figure';
import { SCENARIOS } from './scenarios';

/** With what follows from several sizes of one scenario and mode. */
export function withDerived(figures: readonly Figure[]): Figure[] {
  const modes = [...new Set(figures.map(({ mode }) => mode))];
  const derived = SCENARIOS.flatMap(({ name, derive }) =>
    modes.flatMap(
      (mode) => derive?.(figures.filter((figure) => figure.scenario === name && figure.mode === mode)) ?? [],
    ),
  );
  return [...figures, ...derived];
}
