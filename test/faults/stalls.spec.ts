import { setTimeout as sleep } from 'node:timers/promises';
import { newTaskId, type Answer, type Api } from '../support/api';
import { describeInEachMode, describeWithMongod, type DocumentMode } from '../support/document-mode';
import { eventually } from '../support/eventually';
import { Mongod } from '../support/mongod';
import { FailCommand } from './support/fail-command';
import { HARMED, type HarmedNode } from './support/harmed-node';
import { expectNothingHeld, type TaskFace } from './support/invariants';
import { isWorthRepeating, Stage } from './support/stage';
import type { StepProxy } from './support/step-proxy';
import { expectSurvived } from './support/survival';

/** What a client waits for an answer, whatever the network does. */
const ANSWER_MS_MAX = 30_000;
/** A copy has to find out first, and then to try for 10 s whether it has committed. */
const COPY_MS_MAX = 45_000;
const RECOVERY_MS_MAX = 15_000;
/** Shorter than any timeout. */
const SHORT_MS = 3_000;
const SLOW_MS = 50;
/** Longer than a session may be idle in a transaction (15 s), shorter than a statement of MongoDB may take (20 s). */
const BLOCKED_MS = 17_500;
/** The pool of a node. */
const SESSIONS_MAX = 20;

/** Lanes of a copy that happened not to be busy at the same time before. */
const CONNECTIONS_MORE = 4;

type Victim = 'postgresql' | 'mongodb';

/** Where a copy is in its middle: rows are written, documents and COMMIT are to come. */
const MIDDLE = { postgresql: /INSERT INTO roi_image/, mongodb: /mongodb: aggregate/ };

describeInEachMode('a network that fails between a node and a database', (mode) => {
  const source = newTaskId();
  let stage: Stage;
  let whole: TaskFace;
  let image: string;

  beforeAll(async () => {
    stage = await Stage.open(mode);
    whole = await stage.importSource(source);
    const { body } = await stage.witnessApi.get(`/training/tasks/${source}/images`);
    image = (body['image_list'] as { img_id: string }[])[0]!.img_id;
    await stage.api();
  });
  afterAll(() => stage.close());

  const victims: readonly Victim[] = mode === 'mongodb' ? ['postgresql', 'mongodb'] : ['postgresql'];

  it('cuts every connection: 503 in bounded time, and all is well again by itself', async () => {
    // Of PostgreSQL it is the same in both modes.
    await outage(stage.node, mode, (proxy) => proxy.cut());
  });

  it('falls silent: 503 in bounded time, and all is well again by itself', async () => {
    // Each on a node of its own, because they take long.
    const nodes = await Promise.all(victims.map(() => stage.anotherNode()));
    await Promise.all(victims.map((victim, at) => outage(nodes[at]!, victim, (proxy) => proxy.freeze())));
  }, 120_000);

  it('falls silent for a moment: that only delays', async () => {
    for (const victim of victims) {
      const { node } = stage;
      const { answering, goOn, target } = await duplicateUpTo(node, MIDDLE[victim]);
      proxyOf(node, victim).freeze();
      goOn();
      const reading = read(await node.api());
      await sleep(SHORT_MS);
      proxyOf(node, victim).restore();
      const answer = await answering;
      expect({ victim, copy: answer?.status, read: (await reading).status }).toEqual({
        victim,
        copy: 200,
        read: 200,
      });
      await expectSurvived(stage, { source, target, whole }, answer);
    }
  });

  it('is slow: that only delays', async () => {
    const target = newTaskId();
    const api = await stage.api();
    for (const victim of victims) proxyOf(stage.node, victim).slow(SLOW_MS);
    const [copy, one] = await Promise.all([api.duplicate(source, target), read(api)]);
    for (const victim of victims) proxyOf(stage.node, victim).restore();
    expect([copy.status, one.status]).toEqual([200, 200]);
    await expectSurvived(stage, { source, target, whole }, copy);
  });

  it('leaves no connection behind', async () => {
    const api = await stage.api();
    // More than the pool has: none of its connections may be lost.
    const answers = await Promise.all(Array.from({ length: 2 * SESSIONS_MAX }, () => read(api)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    await eventually('no session is left over', async () => {
      const sessions = await stage.databases.query(
        `SELECT
         FROM pg_stat_activity
         WHERE datname = current_database()
           AND application_name = $1`,
        [HARMED],
      );
      // Of the nodes that are not used any more there is none, and of this one what its pool keeps.
      return sessions.length <= SESSIONS_MAX && sessions.length <= stage.node.postgresql.connections;
    });
    await expectNothingHeld(stage.databases);
  });

  /** A copy in its middle and whatever else is asked, while the way to a database is troubled until all have answered. */
  async function outage(
    node: HarmedNode,
    victim: Victim,
    trouble: (proxy: StepProxy) => void,
  ): Promise<void> {
    const api = await node.api();
    await read(api);
    const { answering, goOn, target } = await duplicateUpTo(node, MIDDLE[victim]);
    const proxy = proxyOf(node, victim);
    trouble(proxy);
    goOn();
    const [answer] = await Promise.all([
      inTime(`${victim}: the copy`, COPY_MS_MAX, () => answering),
      expectAway(`${victim}: reading`, () => read(api)),
      expectAway(`${victim}: copying`, () => api.duplicate(source, newTaskId())),
      eventually('readiness names it', async () => {
        const { status, body } = await api.get('/health/ready');
        return status === 503 && Object.keys(body['error'] as object).join() === victim;
      }),
    ]);
    proxy.restore();
    const restoredAt = performance.now();
    await eventually('it is ready again', async () => (await api.get('/health/ready')).status === 200);
    await eventually('it can be read again', async () => (await read(api)).status === 200);
    expect(performance.now() - restoredAt).toBeLessThan(RECOVERY_MS_MAX);
    await expectSurvived(stage, { source, target, whole }, answer, () => api.duplicate(source, target));
  }

  /** Holds a copy up at a step. */
  async function duplicateUpTo(
    node: HarmedNode,
    step: RegExp,
  ): Promise<{ answering: Promise<Answer | null>; goOn: () => void; target: string }> {
    const target = newTaskId();
    return { ...(await node.heldAt('before', step, (api) => api.duplicate(source, target))), target };
  }

  function read(api: Api): Promise<Answer> {
    return api.get(`/training/tasks/${source}/images/${image}/annotations`);
  }
});

function proxyOf(node: HarmedNode, victim: Victim): StepProxy {
  return victim === 'mongodb' ? node.mongodb : node.postgresql;
}

async function expectAway(what: string, request: () => Promise<Answer>): Promise<void> {
  const answer = await inTime(what, ANSWER_MS_MAX, request);
  expect({ what, text: answer.text, again: isWorthRepeating(answer) }).toEqual({
    what,
    text: answer.text,
    again: true,
  });
}

async function inTime<T extends Answer | null>(
  what: string,
  maxMs: number,
  request: () => Promise<T>,
): Promise<T> {
  const startedAt = performance.now();
  const answer = await request();
  const tookMs = Math.round(performance.now() - startedAt);
  console.log(`${what}: ${String(answer?.status)} after ${String(tookMs)} ms`);
  expect({ what, inTime: tookMs < maxMs }).toEqual({ what, inTime: true });
  return answer;
}

describeWithMongod('MongoDB takes longer than a transaction may be idle', () => {
  const mode: DocumentMode = 'mongodb';

  it('the copy goes well, because its session is kept alive; and no connection is left behind', async () => {
    const mongod = await Mongod.start();
    const uri = mongod.uri.replace('/?', '/own?');
    const failCommand = await FailCommand.connect(uri);
    const stage = await Stage.open(mode, { mongodbUri: uri });
    try {
      const [source, target] = [newTaskId(), newTaskId()];
      const whole = await stage.importSource(source);
      const api = await stage.api();
      const first = newTaskId();
      // All that is asked below as well.
      await expectSurvived(stage, { source, target: first, whole }, await api.duplicate(source, first));
      const before = await connections(failCommand);

      const blocked = { blockConnection: true, blockTimeMS: BLOCKED_MS } as const;
      await failCommand.set(HARMED, ['aggregate'], blocked, { times: 1 });
      const startedAt = performance.now();
      const answer = await api.duplicate(source, target);

      expect(performance.now() - startedAt).toBeGreaterThan(BLOCKED_MS);
      expect({ text: answer.text, status: answer.status }).toEqual({ text: answer.text, status: 200 });
      await expectSurvived(stage, { source, target, whole }, answer);
      expect(stage.nodeLog).not.toContain('25P03');
      await eventually(
        'as many connections as before',
        async () => (await connections(failCommand)) <= before + CONNECTIONS_MORE,
      );
    } finally {
      await stage.close();
      await failCommand.close();
      await mongod.stop();
    }
  });
});

async function connections({ client }: FailCommand): Promise<number> {
  const { connections } = (await client.db('admin').command({ serverStatus: 1 })) as {
    connections: { current: number };
  };
  return connections.current;
}
