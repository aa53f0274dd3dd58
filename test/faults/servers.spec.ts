import { newTaskId, type Answer, type Api } from '../support/api';
import { describeInEachMode, describeWithMongod } from '../support/document-mode';
import { eventually } from '../support/eventually';
import { Mongod } from '../support/mongod';
import { aTaskWithEverything } from './support/any-source';
import { HARMED } from './support/harmed-node';
import { expectNothingHeld, type TaskFace } from './support/invariants';
import { OwnPostgres } from './support/own-servers';
import { attempt, Stage } from './support/stage';
import type { When } from './support/steps';
import { expectSurvived } from './support/survival';

/** What a client waits for an answer while a database is away. */
const ANSWER_MS_MAX = 30_000;
/** And for good answers when it is back. */
const RECOVERY_MS_MAX = 15_000;

interface KillableServer {
  kill(): Promise<void>;
  restart(): Promise<void>;
}

/** The steps that a server may die at: before it does what it is asked, or when it has done it. */
type Moment = readonly [title: string, when: When, step: RegExp];

const ROWS: readonly Moment[] = [
  ['before the attempt is recorded', 'before', /INSERT INTO task_duplication/],
  ['when the attempt is recorded', 'after', /postgresql: COMMIT/],
  ['when the images are copied', 'after', /INSERT INTO image/],
  ['before COMMIT', 'before', /UPDATE task_duplication SET state = 'done'|DELETE FROM document_garbage/],
];
const DOCUMENTS: readonly Moment[] = [
  ['before the documents are written', 'before', /mongodb: aggregate/],
  ['when the documents are written', 'after', /mongodb: aggregate/],
];

describe('PostgreSQL is killed in the middle of a duplication (documents in PostgreSQL)', () => {
  killedServer('postgresql', 'postgresql', ROWS);
});

describeWithMongod('PostgreSQL is killed in the middle of a duplication (documents in MongoDB)', () => {
  killedServer('mongodb', 'postgresql', [...ROWS, ...DOCUMENTS]);
});

describeWithMongod('MongoDB is killed in the middle of a duplication', () => {
  killedServer('mongodb', 'mongodb', DOCUMENTS);
});

/** The last statement of a copy: behind it there is but COMMIT. */
const COPIED = /DELETE FROM document_garbage/;
/** When the server is needed once more. */
const AWAY_AT = { postgresql: COPIED, mongodb: /mongodb: aggregate/ };

function killedServer(
  mode: 'postgresql' | 'mongodb',
  victim: 'postgresql' | 'mongodb',
  moments: readonly Moment[],
): void {
  const source = newTaskId();
  let postgres: OwnPostgres;
  let mongod: Mongod | undefined;
  let server: KillableServer;
  let stage: Stage;
  let whole: TaskFace;
  let image: string;

  beforeAll(async () => {
    postgres = await OwnPostgres.start();
    mongod = mode === 'mongodb' ? await Mongod.start() : undefined;
    stage = await Stage.open(mode, {
      databaseUrl: postgres.url,
      ...(mongod && { mongodbUri: mongod.uri.replace('/?', '/own?') }),
    });
    server = victim === 'mongodb' ? mongod! : postgres;
    whole = await stage.importSource(source);
    const { body } = await stage.witnessApi.get(`/training/tasks/${source}/images`);
    image = (body['image_list'] as { img_id: string }[])[0]!.img_id;
    await stage.api();
  });
  afterAll(async () => {
    await stage.close();
    await mongod?.stop();
    await postgres.stop();
  });

  it.each(moments)('%s: nothing or all, and the same request again does it', async (_title, when, step) => {
    await duplicateWithout(when, step, () => Promise.resolve());
  });

  it('at COMMIT, when it took effect: the documents that it points to are on disk', async () => {
    await duplicateWithout('after', COPIED, () => Promise.resolve());
  });

  it(`for a while: 503 in bounded time, and readiness names ${victim}; then all is well again`, async () => {
    await duplicateWithout('before', AWAY_AT[victim], async (answering) => {
      const api = await stage.api();
      await eventually('not ready', async () => (await readiness(api)).status === 503);
      expect(await readiness(api)).toEqual({ status: 503, away: [victim], retryAfter: '5' });
      expect(await readiness(stage.witnessApi)).toEqual({ status: 503, away: [victim], retryAfter: '5' });
      await Promise.all([
        expectAway('duplication', () => api.duplicate(source, newTaskId())),
        expectAway('import', () => api.importCoco(newTaskId(), aTaskWithEverything())),
        expectAway('reading', () => readDocument(api)),
        expectAway('writing', () => api.put(annotationsOf(image), { annotations: [] })),
        expectAway('the other node', () => readDocument(stage.witnessApi)),
        expectAway('the duplication that was running', async () => (await answering) ?? lost()),
      ]);
    });
    const api = await stage.api();
    const startedAt = performance.now();
    await eventually('the node is ready again', async () => (await readiness(api)).status === 200);
    await eventually('it can be read', async () => (await readDocument(api)).status === 200);
    expect(performance.now() - startedAt).toBeLessThan(RECOVERY_MS_MAX);
    // The very process that was there before: it was told nothing.
    await expectNothingHeld(stage.databases);
  });

  /** Duplicates, kills the server at a step, and starts it again after `whileAway`. */
  async function duplicateWithout(
    when: When,
    step: RegExp,
    whileAway: (answering: Promise<Answer | null>) => Promise<void>,
  ): Promise<void> {
    const target = newTaskId();
    const { answering, goOn } = await stage.node.heldAt(when, step, (api) => api.duplicate(source, target));
    await server.kill();
    // Where it was the other server that was asked.
    goOn();
    try {
      await whileAway(answering);
    } finally {
      await server.restart();
    }
    const answer = await answering;
    await eventually('the other node is ready again', async () => {
      const { status } = await stage.witnessApi.get('/health/ready');
      return status === 200;
    });
    await expectSurvived(stage, { source, target, whole }, answer);
  }

  /** What both databases are asked for. */
  function readDocument(api: Api): Promise<Answer> {
    return api.get(annotationsOf(image));
  }

  function annotationsOf(img: string): string {
    return `/training/tasks/${source}/images/${img}/annotations`;
  }
}

async function readiness(api: Api): Promise<{ status: number; away: string[]; retryAfter: string | null }> {
  const { status, body, headers } = await api.get('/health/ready');
  return { status, away: Object.keys(body['error'] ?? {}), retryAfter: headers.get('Retry-After') };
}

async function expectAway(what: string, request: () => Promise<Answer>): Promise<void> {
  const startedAt = performance.now();
  const { status, text, headers } = await request();
  const tookMs = performance.now() - startedAt;
  console.log(`${what}: ${String(status)} after ${String(Math.round(tookMs))} ms`);
  expect({ what, status, text, again: headers.has('Retry-After') }).toEqual({
    what,
    status: 503,
    text,
    again: true,
  });
  expect(tookMs).toBeLessThan(ANSWER_MS_MAX);
}

function lost(): never {
  throw new Error('the connection to the service broke');
}

describeInEachMode('every session of a node is ended by an operator at any step of a duplication', (mode) => {
  const source = newTaskId();
  let stage: Stage;
  let whole: TaskFace;

  beforeAll(async () => {
    stage = await Stage.open(mode);
    whole = await stage.importSource(source);
    await stage.api();
  });
  afterAll(() => stage.close());

  it('before the step or while it runs, in turns: nothing or all, and the same request again does it', async () => {
    const terminate = (): Promise<unknown> =>
      stage.databases.query(
        `SELECT count(pg_terminate_backend(pid))
           FROM pg_stat_activity
           WHERE datname = current_database()
             AND application_name = $1`,
        [HARMED],
      );
    const ended: number[] = [];
    for (let step = 1; ; step++) {
      // What both modes ask is ended before it in the one, while it runs in the other.
      const isRunning = (step % 2 === 0) === (mode === 'mongodb');
      const target = newTaskId();
      const api = await stage.api();
      let ending: Promise<unknown> | undefined;
      stage.steps.strikeAt(step, {
        when: 'before',
        strike: (_cut, goOn) => {
          if (isRunning) goOn();
          ending = terminate().finally(isRunning ? undefined : goOn);
        },
      });
      const answer = await attempt(() => api.duplicate(source, target));
      await ending;
      const { hasStruck, log } = stage.steps;
      const name = `step ${String(step)}: ${log[step - 1] ?? 'none'}`;
      stage.steps.reset();
      await expectSurvived(stage, { source, target, whole }, answer).catch((error: unknown) => {
        throw new Error(`${name}: ${String(error)}`, { cause: error });
      });
      if (!hasStruck) break;
      ended.push(step);
    }
    expect(ended.length).toBeGreaterThan(20);
  }, 300_000);
});
