import type { Figure } from './figure';
import type { Job } from './jobs';
import { describeMachine, type Machine } from './machine';
import { Progress } from './progress';
import { Rig } from './rig';

export interface Measured {
  readonly figures: readonly Figure[];
  readonly machine: Machine;
  /** Why it did not come to its end; the figures are those before. */
  readonly fault?: Error;
}

/** Takes its servers down again, also where a job fails and at Ctrl-C. */
export async function run(jobs: readonly Job[]): Promise<Measured> {
  const progress = new Progress(jobs.length);
  const rig = await Rig.start([...new Set(jobs.map(({ mode }) => mode))]);
  const interruption = new Interruption(async () => {
    progress.stop();
    await rig.stop();
  });
  try {
    const machine = await describeMachine(rig.servers);
    const figures: Figure[] = [];
    try {
      for (const job of jobs) {
        progress.begin(job);
        const installation = rig.installation(job.mode);
        const say = (what: string): void => progress.say(what);
        const measured = await job.scenario.measure({ ...job, rig, installation, say });
        // A figure that this system cannot tell is left out.
        figures.push(...measured.filter(({ values }) => values.every(Number.isFinite)));
      }
      return { figures, machine };
    } catch (fault) {
      await interruption.ifAny();
      return { figures, machine, fault: fault as Error };
    }
  } finally {
    progress.stop();
    await rig.stop();
  }
}

/** A signal ends the process when it has tidied up. */
class Interruption {
  private hasCome = false;

  constructor(private readonly tidyUp: () => Promise<void>) {
    process.on('SIGINT', () => this.end(130));
    process.on('SIGTERM', () => this.end(143));
  }

  /** What fails because its server was stopped needs no word: the process is about to end. */
  async ifAny(): Promise<void> {
    if (this.hasCome) await new Promise(() => undefined);
  }

  private end(code: number): void {
    // Under npm, Ctrl-C arrives twice.
    if (this.hasCome) return;
    this.hasCome = true;
    void this.tidyUp().finally(() => process.exit(code));
  }
}
