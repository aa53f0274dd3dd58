import type { Step } from './step';

type Request = Step['request'];
type Rows = Step['rows'];

/** Keeps what is asked over all connections, in its order, and which answers had come before each. */
export class Recorder {
  private steps: { request: Request; after: number[]; rows: Rows }[] = [];
  private answered: number[] = [];

  start(): void {
    this.steps = [];
    this.answered = [];
  }

  /** @throws when one of the steps since start() has not been answered */
  stop(): Step[] {
    const { steps, answered } = this;
    if (steps.length !== answered.length) throw new Error('the recording ends in the middle of a step');
    this.start();
    return steps;
  }

  /** @returns what is to be called with the answer */
  ask(request: Request): (rows: Rows) => void {
    const { steps, answered } = this;
    const step = { request, after: latest(steps, answered), rows: [] as Rows };
    const at = steps.push(step) - 1;
    return (rows) => {
      step.rows = rows;
      answered.push(at);
    };
  }
}

/** Of the steps that are answered those that no other one of them has waited for: the others are implied. */
function latest(steps: readonly { after: readonly number[] }[], answered: readonly number[]): number[] {
  const implied = new Set<number>();
  for (const at of [...answered].sort((one, other) => other - one)) {
    if (!implied.has(at)) for (const before of ancestors(steps, at)) implied.add(before);
  }
  return answered.filter((at) => !implied.has(at));
}

function ancestors(steps: readonly { after: readonly number[] }[], at: number): Set<number> {
  const found = new Set<number>();
  const open = [...(steps[at]?.after ?? [])];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    open.push(...(steps[next]?.after ?? []));
  }
  return found;
}
