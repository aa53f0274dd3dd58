import { newTaskId, type Answer } from '../support/api';
import { describeInEachMode } from '../support/document-mode';
import { aTaskWithEverything } from './support/any-source';
import { faceOf, type TaskFace } from './support/invariants';
import { attempt, Stage } from './support/stage';
import type { When } from './support/steps';
import { expectSurvived } from './support/survival';

/** Only this one, to look at it: `FAULT_STEP=17 npm run test:faults -- every-step`. */
const ONLY_STEP = Number(process.env['FAULT_STEP'] ?? 0);

/** More than a duplication takes: a loop that does not end is a defect of this suite. */
const STEPS_MAX = 200;

describeInEachMode('a duplication that breaks at any step', (mode) => {
  const source = newTaskId();
  let stage: Stage;
  let whole: TaskFace;

  beforeAll(async () => {
    stage = await Stage.open(mode);
    await stage.witnessApi.importCoco(source, aTaskWithEverything());
    whole = await faceOf(stage.databases, source);
    await stage.api();
  });
  afterAll(() => stage.close());

  const cut = (connection: () => void) => connection();
  const kill = (connection: () => void) => {
    // The process first: it must not see its connection break.
    stage.signal('SIGKILL');
    connection();
  };

  it.each<[title: string, when: When, harm: (connection: () => void) => void]>([
    ['the connection is cut before it', 'before', cut],
    ['the connection is cut when it took effect, before the answer', 'after', cut],
    ['the process is killed before it', 'before', kill],
    ['the process is killed when it took effect', 'after', kill],
  ])(
    '%s: nothing or all, and the same request again does it',
    async (_title, when, harm) => {
      const asked = new Set<string>();
      let step = Math.max(ONLY_STEP, 1);
      for (; step < STEPS_MAX; step++) {
        const target = newTaskId();
        const api = await stage.api();
        stage.steps.strikeAt(step, { when, strike: harm });
        const answer = await attempt(() => api.duplicate(source, target));
        const { hasStruck, log } = stage.steps;
        const name = `step ${String(step)} of ${String(log.length)}: ${log[step - 1] ?? 'none'}`;
        for (const one of log) asked.add(one);
        stage.steps.reset();
        if (harm === kill) await stage.kill();
        try {
          if (when === 'after' && harm === cut) await expectNoFalseAlarm(answer, log[step - 1], target);
          await expectSurvived(stage, { source, target, whole }, answer);
        } catch (error) {
          throw new Error(`${name}: ${String(error)}`, { cause: error });
        }
        if (!hasStruck || ONLY_STEP > 0) break;
      }
      expect(step).toBeLessThan(STEPS_MAX);
      if (ONLY_STEP > 0) return;
      const decisive =
        mode === 'mongodb' ? ['postgresql: COMMIT', 'mongodb: aggregate'] : ['postgresql: COMMIT'];
      expect([...asked]).toEqual(expect.arrayContaining(decisive));
    },
    900_000,
  );

  /** A copy whose COMMIT took effect is not called failed: who lost the answer to it looks. */
  async function expectNoFalseAlarm(
    answer: Answer | null,
    step: string | undefined,
    target: string,
  ): Promise<void> {
    if (answer === null || step !== 'postgresql: COMMIT') return;
    const { body } = await stage.witnessApi.get(`/training/tasks/${target}/duplication`);
    if (body['state'] === 'done') expect(answer.status).toBe(200);
  }
});
