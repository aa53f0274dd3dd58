import { newTaskId, type Answer } from '../support/api';
import { describeInEachMode } from '../support/document-mode';
import { expectDecisive, HARMS, harmAtEveryStep, STEPS_TIME_MAX } from './support/every-step';
import type { TaskFace } from './support/invariants';
import { Stage } from './support/stage';
import { expectSurvived } from './support/survival';

describeInEachMode('a duplication that breaks at any step', (mode) => {
  const source = newTaskId();
  let stage: Stage;
  let whole: TaskFace;

  beforeAll(async () => {
    stage = await Stage.open(mode);
    whole = await stage.importSource(source);
    await stage.api();
  });
  afterAll(() => stage.close());

  it.each(HARMS)(
    '$title: nothing or all, and the same request again does it',
    async (harm) => {
      const steps = await harmAtEveryStep(stage, harm, async () => {
        const [api, target] = [await stage.api(), newTaskId()];
        return {
          send: () => api.duplicate(source, target),
          expectSurvived: async (answer, step) => {
            if (harm.when === 'after' && !harm.kills) await expectNoFalseAlarm(answer, step, target);
            await expectSurvived(stage, { source, target, whole }, answer);
          },
        };
      });
      expectDecisive(steps, mode, 'mongodb: aggregate');
    },
    STEPS_TIME_MAX,
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
