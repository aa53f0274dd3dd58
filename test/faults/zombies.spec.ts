import { Sweeper } from '../../src/tasks/sweeper';
import { newTaskId, type Answer, type Api } from '../support/api';
import { describeInEachMode, describeWithMongoDb, type DocumentMode } from '../support/document-mode';
import { eventually } from '../support/eventually';
import { aTaskWithEverything } from './support/any-source';
import type { HarmedNode } from './support/harmed-node';
import { expectNothingOrAll, expectSwept, faceOf, type TaskFace } from './support/invariants';
import { isWorthRepeating, Stage, startWitness, untilDone } from './support/stage';
import type { When } from './support/steps';
import { expectSurvived } from './support/survival';

/** The first chunks have 500 images: two are on their way at once, and one is to come. */
const IMAGES = 1_100;
/** Of each of the first chunks a few documents were edited: they are copied by a second statement. */
const EDITED = [3, 4, 600, 601];
/** The server ends a session that says nothing for 15 s. */
const TAKE_OVER_MS_MAX = 20_000;
const AT_ONCE_MS = 2_000;

/** In a moment of several steps, all of them are on their way: none is allowed that is not sent yet, and would go late. */
type Moment = readonly [title: string, when: When, step: RegExp, steps?: number];

const ROWS: readonly Moment[] = [
  ['before its transaction', 'before', /TRANSACTION ISOLATION LEVEL REPEATABLE READ/],
  ['before its rows', 'before', /INSERT INTO image/],
  ['when its rows are written', 'after', /INSERT INTO image/],
  ['right before COMMIT', 'after', /SET state = 'done'/],
];
const DOCUMENTS: readonly Moment[] = [
  ['before its documents', 'before', /mongodb: aggregate/, 2],
  ['in the middle of its documents', 'after', /mongodb: aggregate/, 2],
];

describeInEachMode('a node that stops and wakes, or dies, in the middle of a duplication', (mode) => {
  const source = newTaskId();
  let stage: Stage;
  let whole: TaskFace;
  let image: string;

  beforeAll(async () => {
    stage = await Stage.open(mode);
    const { status } = await stage.witnessApi.importCoco(source, aTaskWithEverything(IMAGES));
    expect(status).toBe(200);
    await edit(stage, source);
    whole = await faceOf(stage.databases, source);
    const { body } = await stage.witnessApi.get(`/training/tasks/${source}/images?limit=1`);
    image = (body['image_list'] as { img_id: string }[])[0]!.img_id;
  });
  afterAll(() => stage.close());

  it('stops: another one takes over in time, and when it wakes it does no harm', async () => {
    const stopped = await Promise.all(momentsOf(mode).map((moment) => stopIn(moment)));
    // All of them at once: each waits for the server's 15 s.
    await Promise.all(stopped.map(({ target, title }) => takeOver(target, title)));
    for (const { target } of stopped) expect(await faceOf(stage.databases, target)).toEqual(whole);
    for (const one of stopped) await wake(one);
  }, 120_000);

  it('dies: another one takes over at once', async () => {
    for (const moment of momentsOf(mode)) {
      const { node, target, answer } = await stopIn(moment);
      await node.kill();
      const killedAt = performance.now();
      await untilDone(() => stage.witnessApi.duplicate(source, target));
      const tookMs = performance.now() - killedAt;
      console.log(`died ${moment[0]}: taken over after ${String(Math.round(tookMs))} ms`);
      expect(tookMs).toBeLessThan(AT_ONCE_MS);
      expect(await answer).toBeNull();
      await expectSurvived(stage, { source, target, whole }, null, () =>
        stage.witnessApi.duplicate(source, target),
      );
      await node.close();
    }
  });

  it('dies, and nobody asks again: the sweeper finds it dead at once, and removes what it left', async () => {
    for (const moment of momentsOf(mode)) {
      const { node, target } = await stopIn(moment);
      await node.kill();
      await eventually(
        'the server has seen that the client is gone',
        async () => (await stage.sweep()).dead > 0,
        AT_ONCE_MS,
      );
      const { body } = await stage.witnessApi.get(`/training/tasks/${target}/duplication`);
      expect({ moment: moment[0], state: body['state'] }).toEqual({ moment: moment[0], state: 'failed' });
      await expectNothingOrAll(stage.databases, target, whole);
      expect(await faceOf(stage.databases, target)).toEqual({ images: [], classes: [] });
      await expectSwept(stage.databases, () => stage.sweep());
      await node.close();
    }
    expect(await faceOf(stage.databases, source)).toEqual(whole);
  });

  interface Stopped {
    readonly title: string;
    readonly node: HarmedNode;
    readonly target: string;
    readonly answer: Promise<Answer | null>;
    /** Lets what it has sent last, or what it was answered, go its way. */
    readonly goOn: () => void;
  }

  /** A node of its own that is stopped at this moment of a duplication. */
  async function stopIn([title, when, step, steps]: Moment): Promise<Stopped> {
    const node = await stage.anotherNode();
    await warmUp(await node.api());
    const target = newTaskId();
    const { answering, goOn } = await node.heldAt(
      when,
      step,
      (api) => api.duplicate(source, target),
      () => node.signal('SIGSTOP'),
      steps,
    );
    return { title, node, target, answer: answering, goOn };
  }

  /** So that both lanes have their connections: a statement that waits for one was allowed before the stop, and goes late. */
  async function warmUp(api: Api): Promise<void> {
    const path = `/training/tasks/${source}/images/${image}/annotations`;
    await Promise.all(Array.from({ length: 8 }, () => api.get(path)));
  }

  async function takeOver(target: string, title: string): Promise<void> {
    const startedAt = performance.now();
    await untilDone(() => stage.witnessApi.duplicate(source, target));
    const tookMs = performance.now() - startedAt;
    console.log(`stopped ${title}: taken over after ${String(Math.round(tookMs))} ms`);
    expect(tookMs).toBeLessThan(TAKE_OVER_MS_MAX);
  }

  /** What it had sent already arrives late; it sends no more, and answers sensibly. */
  async function wake({ title, node, target, answer, goOn }: Stopped): Promise<void> {
    const asked = node.steps.log.length;
    goOn();
    node.signal('SIGCONT');
    const late = await answer;
    const sent = node.steps.log.slice(asked).filter((step) => /aggregate|insert/.test(step));
    expect({ title, sent }).toEqual({ title, sent: [] });
    console.log(`woken ${title}: ${String(late?.status)}`);
    if (!late || (late.status !== 200 && !isWorthRepeating(late)))
      throw new Error(`${title}: ${late?.text ?? 'no answer'}: ${node.lastFault}`);
    const api = await node.api();
    await expectSurvived(stage, { source, target, whole }, late, () => api.duplicate(source, target));
    await node.close();
  }
});

function momentsOf(mode: DocumentMode): readonly Moment[] {
  return mode === 'mongodb' ? [...ROWS, ...DOCUMENTS] : ROWS;
}

/** Documents with ids of their own: they do not follow from those of their images. */
async function edit(stage: Stage, task: string): Promise<void> {
  const api = stage.witnessApi;
  const images = await stage.databases.query<{ id: string }>(
    `SELECT id FROM image WHERE task_id = $1 ORDER BY order_id`,
    [task],
  );
  const [labelClass] = await stage.databases.query<{ id: number }>(
    `SELECT id FROM label_class WHERE task_id = $1 ORDER BY order_id`,
    [task],
  );
  for (const at of EDITED) {
    const path = `/training/tasks/${task}/images/${images[at]!.id}/annotations`;
    const { status } = await api.put(path, { annotations: [{ lab_class_id: labelClass!.id, edited: at }] });
    expect(status).toBe(200);
  }
  await expectSwept(stage.databases, () => stage.sweep());
}

describeWithMongoDb('two nodes that sweep at the same time', () => {
  it('remove nothing twice and miss nothing', async () => {
    const edits = 40;
    const stage = await Stage.open('mongodb');
    const other = await startWitness(stage.databases);
    try {
      const task = newTaskId();
      await stage.witnessApi.importCoco(task, aTaskWithEverything(3));
      const { body } = await stage.witnessApi.get(`/training/tasks/${task}/images`);
      const [image] = body['image_list'] as { img_id: string }[];
      const path = `/training/tasks/${task}/images/${image!.img_id}/annotations`;
      for (let at = 0; at < edits; at++) await stage.witnessApi.put(path, { annotations: [] });
      const face = await faceOf(stage.databases, task);

      const reports = await Promise.all([stage.sweep(), other.app.get(Sweeper).sweep()]);

      const sum = { ranges: 0, documents: 0 };
      for (const { ranges, documents } of reports) {
        sum.ranges += ranges;
        sum.documents += documents;
      }
      expect(sum).toEqual({ ranges: edits, documents: edits });
      // They did meet.
      for (const { ranges } of reports) expect(ranges).toBeGreaterThan(0);
      expect(await stage.databases.query(`SELECT FROM document_garbage`)).toEqual([]);
      await expectSwept(stage.databases, () => stage.sweep());
      expect(await faceOf(stage.databases, task)).toEqual(face);
    } finally {
      await other.stop();
      await stage.close();
    }
  });
});
