import { setTimeout as sleep } from 'node:timers/promises';
import { types } from 'node:util';
import type { Answer } from '../../support/api';

const RETRY_MS_MAX = 60_000;

/** null: the connection to the service broke. */
export async function attempt(request: () => Promise<Answer>): Promise<Answer | null> {
  try {
    return await request();
  } catch (error) {
    // What fetch() throws for a network error; not by `instanceof`, which knows the errors of Jest's realm.
    if (types.isNativeError(error) && error.name === 'TypeError') return null;
    throw error;
  }
}

/** Asks until it is answered, as a client does: a lost connection, a 503 and a busy task are worth repeating, nothing else is. */
export async function untilDone(
  request: () => Promise<Answer>,
  isDone = ({ status }: Answer) => status === 200,
): Promise<Answer> {
  for (const deadline = Date.now() + RETRY_MS_MAX; ; await sleep(100)) {
    const answer = await attempt(request);
    if (answer && isDone(answer)) return answer;
    if (answer && !isWorthRepeating(answer)) throw new Error(`not worth repeating: ${answer.text}`);
    if (Date.now() > deadline) throw new Error(`not done in time: ${answer?.text ?? 'no answer'}`);
  }
}

export function isWorthRepeating({ status, headers }: Answer): boolean {
  return (status === 503 || status === 409) && headers.has('Retry-After');
}
