import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 25;

/** Waits until `look` finds something; what it throws ends the waiting. */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  deadlineMs = 30_000,
): Promise<T> {
  for (const deadline = Date.now() + deadlineMs; ; await sleep(POLL_MS)) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`not in ${deadlineMs} ms: ${what}`);
  }
}
