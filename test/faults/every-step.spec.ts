import { newTaskId, type Answer } from '../support/api';
import { describeInEachMode } from '../support/document-mode';
import { aTaskWithEverything } from './support/any-source';
import { HARMS, harmAtEveryStep, ONLY_STEP } from './support/every-step';
import { expectSwept, faceOf, type TaskFace } from './support/invariants';
import { Stage, untilDone } from './support/stage';
import { expectSurvived, expectTrue } from './support/survival';

const TIME_MAX = 900_000;

describeInEachMode('a write that breaks at any step', (mode) => {
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

  function expectDecisive(steps: ReadonlySet<string>, command: string): void {
    if (ONLY_STEP > 0) return;
    const decisive = mode === 'mongodb' ? ['postgresql: COMMIT', command] : ['postgresql: COMMIT'];
    expect([...steps]).toEqual(expect.arrayContaining(decisive));
  }

  it.each(HARMS)(
    'a duplication, $title: nothing or all, and the same request again does it',
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
      expectDecisive(steps, 'mongodb: aggregate');
    },
    TIME_MAX,
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

  // Killed when a step took effect is killed before the next one, as far as an import goes.
  it.each(HARMS.filter(({ when, kills }) => !kills || when === 'before'))(
    'an import, $title: nothing or all, and the same request again does it or finds it done',
    async (harm) => {
      const steps = await harmAtEveryStep(stage, harm, async () => {
        const [api, target] = [await stage.api(), newTaskId()];
        return {
          send: () => api.importCoco(target, aTaskWithEverything()),
          expectSurvived: (answer) => expectImported(target, answer),
        };
      });
      expectDecisive(steps, 'mongodb: insert');
    },
    TIME_MAX,
  );

  async function expectImported(target: string, answer: Answer | null): Promise<void> {
    await expectTrue(stage, target, whole, answer);
    await untilDone(
      async () => (await stage.api()).importCoco(target, aTaskWithEverything()),
      // For good: the target has content, which is the import whose answer was lost.
      ({ status, body }) => status === 200 || body['code'] === IMPORT_TARGET_NOT_EMPTY,
    );
    await expectSwept(stage.databases, () => stage.sweep());
    expect(await faceOf(stage.databases, target)).toEqual(whole);
  }
});

const IMPORT_TARGET_NOT_EMPTY = 40906;
