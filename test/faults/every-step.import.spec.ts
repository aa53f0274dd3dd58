import { newTaskId, type Answer } from '../support/api';
import { describeInEachMode } from '../support/document-mode';
import { aTaskWithEverything } from './support/any-source';
import { expectDecisive, HARMS, harmAtEveryStep, STEPS_TIME_MAX } from './support/every-step';
import { expectSwept, faceOf, type TaskFace } from './support/invariants';
import { Stage, untilDone } from './support/stage';
import { expectTrue } from './support/survival';

const IMPORT_TARGET_NOT_EMPTY = 40906;

describeInEachMode('an import that breaks at any step', (mode) => {
  let stage: Stage;
  let whole: TaskFace;

  beforeAll(async () => {
    stage = await Stage.open(mode);
    whole = await stage.importSource(newTaskId());
    await stage.api();
  });
  afterAll(() => stage.close());

  // Killed when a step took effect is killed before the next one, as far as an import goes.
  it.each(HARMS.filter(({ when, kills }) => !kills || when === 'before'))(
    '$title: nothing or all, and the same request again does it or finds it done',
    async (harm) => {
      const steps = await harmAtEveryStep(stage, harm, async () => {
        const [api, target] = [await stage.api(), newTaskId()];
        return {
          send: () => api.importCoco(target, aTaskWithEverything()),
          expectSurvived: (answer) => expectImported(target, answer),
        };
      });
      expectDecisive(steps, mode, 'mongodb: insert');
    },
    STEPS_TIME_MAX,
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
