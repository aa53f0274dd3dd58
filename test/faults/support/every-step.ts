import type { Answer } from '../../support/api';
import type { DocumentMode } from '../../support/document-mode';
import { attempt, type Stage } from './stage';
import type { When } from './steps';

/** Only this one, to look at it: `FAULT_STEP=17 npm run test:faults -- every-step`. */
const ONLY_STEP = Number(process.env['FAULT_STEP'] ?? 0);

/** More than any write of these suites takes: a loop that does not end is a defect of theirs. */
const STEPS_MAX = 200;
/** For all steps of a write, most with a start of the service, on a slow machine. */
export const STEPS_TIME_MAX = 900_000;

export interface Harm {
  readonly title: string;
  readonly when: When;
  readonly kills: boolean;
}

export const HARMS: readonly Harm[] = [
  { title: 'the connection is cut before it', when: 'before', kills: false },
  { title: 'the connection is cut when it took effect, before the answer', when: 'after', kills: false },
  { title: 'the process is killed before it', when: 'before', kills: true },
  { title: 'the process is killed when it took effect', when: 'after', kills: true },
];

/** A write of the harmed node, and what must hold after it was harmed at a step and answered this, null where it broke. */
export interface HarmedWrite {
  readonly send: () => Promise<Answer>;
  readonly expectSurvived: (answer: Answer | null, step: string | undefined) => Promise<void>;
}

/** Harms a new write at its first step, another one at its second, until one has ended unharmed. @returns the steps */
export async function harmAtEveryStep(
  stage: Stage,
  { when, kills }: Harm,
  aWrite: () => Promise<HarmedWrite>,
): Promise<ReadonlySet<string>> {
  const seen = new Set<string>();
  for (let step = Math.max(ONLY_STEP, 1); ; step++) {
    expect(step).toBeLessThan(STEPS_MAX);
    const { send, expectSurvived } = await aWrite();
    const strike = (cut: () => void): void => {
      // The process first: it must not see its connection break.
      if (kills) stage.signal('SIGKILL');
      cut();
    };
    stage.steps.strikeAt(step, { when, strike });
    const answer = await attempt(send);
    const { hasStruck, log } = stage.steps;
    const at = log[step - 1];
    for (const one of log) seen.add(one);
    stage.steps.reset();
    if (kills) await stage.kill();
    try {
      await expectSurvived(answer, at);
    } catch (error) {
      throw new Error(`step ${String(step)} of ${String(log.length)}: ${at ?? 'none'}: ${String(error)}`, {
        cause: error,
      });
    }
    if (!hasStruck || ONLY_STEP > 0) return seen;
  }
}

/** The steps that decide whether a write has happened were among those harmed. */
export function expectDecisive(steps: ReadonlySet<string>, mode: DocumentMode, mongoCommand: string): void {
  if (ONLY_STEP > 0) return;
  const decisive = ['postgresql: COMMIT', ...(mode === 'mongodb' ? [mongoCommand] : [])];
  expect([...steps]).toEqual(expect.arrayContaining(decisive));
}
