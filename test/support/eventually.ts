import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for a condition, not for a time: asks until the answer is neither undefined nor false. */
export async function eventually<T>(
  ask: () => Promise<T | undefined | false>,
  withinMs = 10_000,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > deadline) throw new Error(`not within ${String(withinMs)} ms: ${String(ask)}`);
    await sleep(20);
  }
}
