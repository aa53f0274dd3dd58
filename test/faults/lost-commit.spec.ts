import { newTaskId, type Answer, type Api } from '../support/api';
import { describeInEachMode } from '../support/document-mode';
import { contentOf } from '../support/task-content';
import { aTaskWithEverything } from './support/any-source';
import { expectSwept } from './support/invariants';
import { attempt, isWorthRepeating, Stage } from './support/stage';
import type { When } from './support/steps';

const COMMIT = 'postgresql: COMMIT';

/** A write of one task, and whether what is there says that it took effect. */
interface Write {
  /** Whether the task is there before. */
  readonly onTask: boolean;
  send(api: Api, task: string): Promise<Answer>;
  hasLanded(api: Api, task: string): Promise<boolean>;
}

const JSON_BODY = { 'Content-Type': 'application/json' };

const isThere = async (api: Api, task: string): Promise<boolean> =>
  (await api.get(`/training/tasks/${task}`)).status === 200;

const WRITES: Readonly<Record<string, Write>> = {
  create: {
    onTask: false,
    send: (api, task) => api.post('/training/tasks', { task_id: task, task_name: 'new' }),
    hasLanded: isThere,
  },
  import: {
    onTask: false,
    send: (api, task) => api.importCoco(task, aTaskWithEverything()),
    hasLanded: isThere,
  },
  rename: {
    onTask: true,
    send: (api, task) =>
      api.send('PATCH', `/training/tasks/${task}`, { body: '{"task_name":"renamed"}', headers: JSON_BODY }),
    hasLanded: async (api, task) =>
      (await api.get(`/training/tasks/${task}`)).body['task_name'] === 'renamed',
  },
  edit: {
    onTask: true,
    send: async (api, task) =>
      api.send('PUT', `/training/tasks/${task}/images/${await firstImage(api, task)}/annotations`, {
        body: '{"annotations":[]}',
        headers: JSON_BODY,
      }),
    hasLanded: async (api, task) => (await contentOf(api, task)).annotations[0]?.length === 0,
  },
  delete: {
    onTask: true,
    send: (api, task) => api.send('DELETE', `/training/tasks/${task}`),
    hasLanded: async (api, task) => !(await isThere(api, task)),
  },
};

async function firstImage(api: Api, task: string): Promise<string> {
  const { body } = await api.get(`/training/tasks/${task}/images?limit=1`);
  return (body['image_list'] as { img_id: string }[])[0]!.img_id;
}

describeInEachMode('a write whose COMMIT is not answered', (mode) => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await Stage.open(mode);
    await stage.api();
  });
  afterAll(() => stage.close());

  async function aTask(onTask: boolean): Promise<string> {
    const task = newTaskId();
    if (onTask) await stage.witnessApi.importCoco(task, aTaskWithEverything());
    return task;
  }

  /** At which steps of the write its node commits: the last one may be that of a read. */
  async function commitsOf({ onTask, send }: Write): Promise<number[]> {
    const task = await aTask(onTask);
    stage.steps.reset();
    expect((await send(await stage.api(), task)).status).toBeLessThan(300);
    return stage.steps.log.flatMap((step, at) => (step === COMMIT ? [at + 1] : []));
  }

  it.each(Object.keys(WRITES).flatMap((name) => (['before', 'after'] as const).map((when) => [name, when])))(
    '%s, cut %s it took effect: what is answered is what is there',
    async (name, when) => {
      const write = WRITES[name]!;
      const landings: boolean[] = [];
      for (const commit of await commitsOf(write)) {
        const task = await aTask(write.onTask);
        stage.steps.strikeAt(commit, { when: when as When, strike: (cut) => cut() });
        const answer = await attempt(async () => write.send(await stage.api(), task));
        expect(stage.steps.hasStruck).toBe(true);
        stage.steps.reset();
        landings.push(await expectTruth(write, task, answer));
      }
      // Of the commits, one decides: cut after it took effect, the write is found to have landed.
      expect(landings).toContain(when === 'after');
      await expectSwept(stage.databases, () => stage.sweep());
    },
    120_000,
  );

  /** Success means that it is there, and a failure, after which all may be asked again, that it is not. */
  async function expectTruth(write: Write, task: string, answer: Answer | null): Promise<boolean> {
    const hasLanded = await write.hasLanded(stage.witnessApi, task);
    if (answer === null) return hasLanded;
    if (answer.status >= 300) expect(isWorthRepeating(answer)).toBe(true);
    expect(answer.status < 300).toBe(hasLanded);
    if (!hasLanded) expect((await write.send(await stage.api(), task)).status).toBeLessThan(300);
    expect(await write.hasLanded(stage.witnessApi, task)).toBe(true);
    return hasLanded;
  }
});
