import mongoose from 'mongoose';
import { newTaskId, type Answer } from '../support/api';
import { describeWithMongod } from '../support/document-mode';
import { Mongod } from '../support/mongod';
import { aTaskWithEverything } from './support/any-source';
import { FailCommand, type Failure, type HowOften } from './support/fail-command';
import { HARMED } from './support/harmed-node';
import { expectNothingOrAll, expectSwept, expectWhole, faceOf, type TaskFace } from './support/invariants';
import { attempt, isWorthRepeating, Stage, untilDone, WITNESS } from './support/stage';
import { expectSurvived } from './support/survival';

const { Long, ObjectId } = mongoose.mongo;

const ANSWER_MS_MAX = 30_000;
/** Longer than the service lets a statement of MongoDB run. */
const BLOCKED_MS = 21_000;

const FAILURES: readonly (readonly [title: string, failure: Failure])[] = [
  ['no majority confirms it in time', { writeConcernError: { code: 64, errmsg: 'timed out' } }],
  ['it is not primary any more', { errorCode: 10107 }],
  ['it steps down', { errorCode: 189 }],
  ['the statement takes too long', { errorCode: 50 }],
  ['the connection breaks', { closeConnection: true }],
];
/** After these the driver waits some seconds before it tries again: they are tried with a copy only. */
const SHUTDOWNS: readonly (readonly [title: string, failure: Failure])[] = [
  ['it shuts down before a majority confirms', { writeConcernError: { code: 91, errmsg: 'shuts down' } }],
  ['it shuts down', { errorCode: 91 }],
];

/** Once, and for as long as it takes to answer. */
const HOW_OFTEN: readonly HowOften[] = [{ times: 1 }, 'alwaysOn'];

describeWithMongod('MongoDB fails what it is asked', () => {
  const source = newTaskId();
  const edited = newTaskId();
  const large = newTaskId();
  let mongod: Mongod;
  let failCommand: FailCommand;
  let stage: Stage;
  let whole: TaskFace;
  let edits = 0;

  beforeAll(async () => {
    mongod = await Mongod.start();
    failCommand = await FailCommand.connect(mongod.uri.replace('/?', '/own?'));
    stage = await Stage.open('mongodb', { mongodbUri: mongod.uri.replace('/?', '/own?') });
    await stage.witnessApi.importCoco(edited, aTaskWithEverything(1));
    // More than mongod answers in the first batch.
    await stage.witnessApi.importCoco(large, aTaskWithEverything(240));
    whole = await stage.importSource(source);
    await stage.api();
  });
  afterEach(() => failCommand.off());
  afterAll(async () => {
    await stage.close();
    await failCommand.close();
    await mongod.stop();
  });

  describe.each(FAILURES)('since %s', (_title, failure) => {
    it.each(HOW_OFTEN)('(%j) the documents of a copy are not written: nothing or all', async (mode) => {
      await duplicateDespite(['aggregate', 'delete'], failure, mode);
    });

    it('the documents of a copy are not counted: nothing or all', async () => {
      // The first one writes.
      await duplicateDespite(['aggregate'], failure, { skip: 1 });
    });

    it.each(HOW_OFTEN)('(%j) the documents of an import are not written: nothing or all', async (mode) => {
      const target = newTaskId();
      const api = await stage.api();
      const send = (): Promise<Answer> => api.importCoco(target, aTaskWithEverything());
      const answer = await despite(['insert'], failure, mode, send);
      await expectNothingOrAll(stage.databases, target, whole);
      if (answer.status !== 200) await untilDone(send);
      expect(await faceOf(stage.databases, target)).toEqual(whole);
      await expectSwept(stage.databases, () => stage.sweep());
    });

    it.each(HOW_OFTEN)(
      '(%j) the document of an edit is not written: the old one or the new',
      async (mode) => {
        const { path, old, next } = await anEdit();
        const api = await stage.api();
        const answer = await despite(['insert'], failure, mode, () => api.put(path, next));
        const expected = answer.status === 200 ? next.annotations : old;
        expect((await stage.witnessApi.get(path)).body['annotations']).toEqual(expected);
        await untilDone(() => api.put(path, next));
        expect((await stage.witnessApi.get(path)).body['annotations']).toEqual(next.annotations);
        await expectSwept(stage.databases, () => stage.sweep());
      },
    );

    it.each(HOW_OFTEN)('(%j) a document is not read: it is answered whole or not', async (mode) => {
      const { path, old } = await anEdit();
      const api = await stage.api();
      const isRead = 'writeConcernError' in failure;
      const answer = await despite(['find'], failure, mode, () => api.get(path), isRead);
      if (answer.status === 200) expect(answer.body['annotations']).toEqual(old);
      expect((await untilDone(() => api.get(path))).body['annotations']).toEqual(old);
    });

    it.each(['find', 'getMore'])(
      'an export (%s) is not read to its end: it is whole or visibly cut',
      async (command) => {
        const api = await stage.api();
        const path = `/training/tasks/${large}/coco`;
        const expected = await stage.witnessApi.get(path);
        await failCommand.set(HARMED, [command], failure, { times: 1 });
        const answer = await attempt(() => api.get(path));
        await failCommand.off();
        if (answer && !isWorthRepeating(answer)) expect(answer.text).toBe(expected.text);
        expect((await untilDone(() => api.get(path))).text).toBe(expected.text);
      },
    );

    it.each(['find', 'delete'])(
      'the sweeper (%s) fails: nothing that is needed goes, and later all else',
      async (command) => {
        for (const mode of HOW_OFTEN) {
          await leaveGarbage();
          await failCommand.set(WITNESS, [command], failure, mode);
          const swept = await stage.sweep().then(
            () => true,
            () => false,
          );
          await failCommand.off();
          if (mode === 'alwaysOn' && !('writeConcernError' in failure && command === 'find')) {
            expect({ swept }).toEqual({ swept: false });
          }
          await expectWhole(stage.databases);
          await expectSwept(stage.databases, () => stage.sweep());
        }
        expect(await faceOf(stage.databases, source)).toEqual(whole);
      },
    );
  });

  it.each(SHUTDOWNS)(
    'since %s the documents of a copy are not written: nothing or all',
    async (_title, failure) => {
      await duplicateDespite(['aggregate'], failure, 'alwaysOn');
    },
  );

  it('a statement of each kind is blocked for longer than it may take: answers in bounded time', async () => {
    const api = await stage.api();
    const [copied, imported] = [newTaskId(), newTaskId()];
    const { path, old } = await anEdit();
    const blocked: Failure = { blockConnection: true, blockTimeMS: BLOCKED_MS };
    await failCommand.set(HARMED, ['aggregate', 'insert', 'find'], blocked, { times: 3 });
    const send = (): Promise<Answer> => api.importCoco(imported, aTaskWithEverything());
    const [copy, upload, read] = await Promise.all([
      inTime(() => api.duplicate(source, copied)),
      inTime(send),
      inTime(() => api.get(path)),
    ]);
    await failCommand.off();
    for (const answer of [copy, upload, read]) expectAnswered(answer);
    await expectNothingOrAll(stage.databases, imported, whole);
    if (upload.status !== 200) await untilDone(send);
    if (read.status === 200) expect(read.body['annotations']).toEqual(old);
    await expectSurvived(stage, { source, target: copied, whole }, copy);
    expect(await faceOf(stage.databases, imported)).toEqual(whole);
  });

  it('a document is there already under an id that an import has reserved: nothing or all', async () => {
    const target = newTaskId();
    const api = await stage.api();
    plantAt(/mongodb: insert/, target);
    const send = (): Promise<Answer> => api.importCoco(target, aTaskWithEverything());
    const answer = await send();
    expect(stage.steps.hasStruck).toBe(true);
    expectAnswered(answer);
    expect(answer.status).not.toBe(200);
    await expectNothingOrAll(stage.databases, target, whole);
    await untilDone(send);
    expect(await faceOf(stage.databases, target)).toEqual(whole);
    await expectSwept(stage.databases, () => stage.sweep());
  });

  it('a document is there already under an id that a copy has reserved: nothing or all', async () => {
    const target = newTaskId();
    const api = await stage.api();
    plantAt(/mongodb: aggregate/, target);
    const answer = await api.duplicate(source, target);
    expect(stage.steps.hasStruck).toBe(true);
    expect(answer.status).not.toBe(200);
    await expectSurvived(stage, { source, target, whole }, answer);
  });

  async function duplicateDespite(commands: string[], failure: Failure, mode: HowOften): Promise<void> {
    const target = newTaskId();
    const api = await stage.api();
    const isRead = typeof mode === 'object' && 'skip' in mode && 'writeConcernError' in failure;
    const answer = await despite(commands, failure, mode, () => api.duplicate(source, target), isRead);
    await expectSurvived(stage, { source, target, whole }, answer);
  }

  /** Sends a request while MongoDB fails these commands. A read has no write concern that could fail. */
  async function despite(
    commands: readonly string[],
    failure: Failure,
    mode: HowOften,
    request: () => Promise<Answer>,
    isUnharmed = false,
  ): Promise<Answer> {
    await failCommand.set(HARMED, commands, failure, mode);
    const answer = await inTime(request);
    await failCommand.off();
    expectAnswered(answer);
    // Nothing that fails each time may be answered as done, nor what no majority has confirmed and nobody has repeated.
    const mustFail =
      !isUnharmed && (typeof mode === 'string' || 'skip' in mode || failure.writeConcernError?.code === 64);
    if (mustFail)
      expect({ text: answer.text, status: answer.status }).toEqual({ text: answer.text, status: 503 });
    return answer;
  }

  function expectAnswered(answer: Answer): void {
    if (answer.status === 200 || isWorthRepeating(answer)) return;
    throw new Error(`answered ${answer.text}: ${stage.node.lastFault}`);
  }

  async function inTime(request: () => Promise<Answer>): Promise<Answer> {
    const startedAt = performance.now();
    const answer = await request();
    expect(performance.now() - startedAt).toBeLessThan(ANSWER_MS_MAX);
    return answer;
  }

  /** Of the one image of the task: what it has, and what it could have. */
  async function anEdit(): Promise<{ path: string; old: unknown; next: { annotations: object[] } }> {
    const { body } = await stage.witnessApi.get(`/training/tasks/${edited}/images`);
    const [image] = body['image_list'] as { img_id: string }[];
    const path = `/training/tasks/${edited}/images/${image!.img_id}/annotations`;
    const { annotations } = (await stage.witnessApi.get(path)).body;
    const [{ lab_class_id } = {}] = annotations as { lab_class_id?: number }[];
    return { path, old: annotations, next: { annotations: [{ lab_class_id, edit: ++edits }] } };
  }

  /** A copy whose documents are all there, and that failed. */
  async function leaveGarbage(): Promise<void> {
    const api = await stage.api();
    await failCommand.set(HARMED, ['aggregate'], { errorCode: 11601 }, { skip: 1 });
    expect((await api.duplicate(source, newTaskId())).status).toBe(503);
    await failCommand.off();
  }

  /** Right before the documents are written, one more is written in the middle of their range. */
  function plantAt(step: RegExp, target: string): void {
    stage.steps.strikeOn(step, { when: 'before', strike: (_cut, goOn) => void plant(target).finally(goOn) });
  }

  async function plant(target: string): Promise<void> {
    const [range] = await stage.databases.query<{ first: string }>(
      `SELECT first_id AS first FROM document_garbage WHERE task_id = $1 AND failed_at IS NULL`,
      [target],
    );
    const [prefix, first] = [range!.first.slice(0, 5), BigInt(range!.first.slice(5))];
    await failCommand.client
      .db()
      .collection('labeled_image')
      .insertOne({
        _id: new ObjectId(prefix + String(first + 4n)),
        task_id: Long.fromString(target),
        img_id: Long.fromNumber(1),
        img_roi_id: null,
        annotations: [],
      });
  }
});
