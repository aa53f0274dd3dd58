import { once } from 'node:events';
import type { Client } from 'pg';
import { ask } from '../ask';
import { cpuSeconds } from '../cpu';
import type { Figure, Unit } from '../figure';
import { DocumentFloor, RowFloor } from '../floor';
import type { Installation, Source } from '../installation';
import type { Scenario, Stage } from '../scenario';
import { onPostgres } from '../servers';
import type { ServiceUnderTest } from '../service-under-test';

const MB = 2 ** 20;

/** By what a statement begins with; what is left are locks, the plan, classes, counts and the record of the attempt. */
const PHASES = [
  ['images', /^INSERT INTO image\b/],
  ['ROIs', /^INSERT INTO roi_image\b/],
  ['documents in PostgreSQL', /^INSERT INTO labeled_image\b/],
  ['other statements', /^/],
] as const;

/** Where the time of one large copy goes until its first byte, and of the floor; as both databases tell it. */
export const phases: Scenario = {
  name: 'phases',
  about: 'one large copy and its floor: what PostgreSQL and mongod say of each phase, WAL and CPU',
  runs: 'once',
  measure: async (stage) => {
    const { installation, say } = stage;
    const source = await installation.source(stage.size);
    return installation.withService((service) =>
      onPostgres(installation.databaseUrl, async (client) => {
        const observer = await Observer.on(stage, client, service);
        const rows = await RowFloor.on(client, installation.mode);
        await installation.warmUp((from, to) => service.duplicate(from, to));
        await installation.settle();
        say('floor');
        const floor = await observer.during('floor', () => copyByFloor(installation, rows, source));
        await installation.settle();
        say('copy');
        const copy = await observer.during('copy', () => copyByService(installation, service, source));
        return [...copy, ...floor];
      }),
    );
  },
};

/** What is done when its work is, and how to take it away again. */
type Done = () => Promise<void>;

async function copyByFloor(installation: Installation, rows: RowFloor, source: Source): Promise<Done> {
  const target = installation.newId();
  await rows.copy(source.id, target);
  if (installation.mode === 'postgres') return () => installation.remove(target);
  return installation.onMongo(async (db) => {
    const documents = new DocumentFloor(db);
    await documents.prepare(false);
    await documents.copy(source.id);
    return async () => {
      await installation.remove(target);
      await installation.onMongo((again) => new DocumentFloor(again).clear());
    };
  });
}

/** Until the first byte of the answer, which is read later. */
async function copyByService(
  installation: Installation,
  service: ServiceUnderTest,
  source: Source,
): Promise<Done> {
  const target = installation.newId();
  const answer = await ask(service, source.id, target);
  return async () => {
    await once(answer.resume(), 'end');
    await installation.assertCopied(source, target);
    await installation.remove(target);
  };
}

/** What all three programs have done so far. */
interface Counters {
  readonly ms: number;
  readonly cpu: { readonly PostgreSQL: number; readonly mongod: number; readonly 'the service': number };
  readonly wal: number;
}

class Observer {
  private constructor(
    private readonly stage: Stage,
    private readonly client: Client,
    private readonly service: ServiceUnderTest,
    private readonly postmaster: number,
  ) {}

  static async on(stage: Stage, client: Client, service: ServiceUnderTest): Promise<Observer> {
    await client.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
    const { rows } = await client.query<{ pid: number }>(
      `SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int AS pid`,
    );
    return new Observer(stage, client, service, rows[0]!.pid); // one row
  }

  async during(side: string, work: () => Promise<Done>): Promise<Figure[]> {
    await this.track('top');
    await this.profile(true);
    await this.client.query('SELECT pg_stat_statements_reset()');
    const before = await this.counters();
    const done = await work();
    const after = await this.counters();
    const statements = await this.statements();
    const pipelinesMs = await this.pipelinesMs();
    await this.track('none');
    await this.profile(false);
    await done();
    const figure = (what: string, unit: Unit, value: number): Figure => {
      const { mode, size } = this.stage;
      return { scenario: phases.name, what: `${side}: ${what}`, mode, size, unit, values: [value] };
    };
    return [
      figure('all', 's', (after.ms - before.ms) / 1_000),
      ...statements.map(([what, ms]) => figure(what, 's', ms / 1_000)),
      ...(pipelinesMs === null ? [] : [figure('documents, all pipelines', 's', pipelinesMs / 1_000)]),
      figure('WAL', 'MB', (after.wal - before.wal) / MB),
      ...cpuFigures(before, after).map(([what, seconds]) => figure(`CPU of ${what}`, 's', seconds)),
    ];
  }

  /** For all sessions, those that are open too. */
  private async track(what: 'top' | 'none'): Promise<void> {
    await this.client.query(`ALTER SYSTEM SET pg_stat_statements.track = '${what}'`);
    await this.client.query('SELECT pg_reload_conf()');
    // Each session reads it before its next statement.
    await this.client.query('SELECT pg_sleep(0.2)');
  }

  /** Milliseconds by phase. */
  private async statements(): Promise<[string, number][]> {
    const { rows } = await this.client.query<{ query: string; ms: number }>(
      `SELECT query, total_exec_time + total_plan_time AS ms
       FROM pg_stat_statements
       WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
    const times = new Map<string, number>(PHASES.map(([phase]) => [phase, 0]));
    for (const { query, ms } of rows) {
      const [phase] = PHASES.find(([, begin]) => begin.test(query.trim()))!; // the last one takes all
      times.set(phase, (times.get(phase) ?? 0) + ms);
    }
    return [...times].filter(([, ms]) => ms > 0);
  }

  private async counters(): Promise<Counters> {
    const { rows } = await this.client.query<{ wal: number }>(
      `SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 AS wal`,
    );
    const cpu = {
      PostgreSQL: await cpuSeconds(this.postmaster),
      mongod: await this.mongodCpu(),
      'the service': await cpuSeconds(this.service.pid),
    };
    return { ms: performance.now(), cpu, wal: rows[0]!.wal }; // one row
  }

  private async mongodCpu(): Promise<number> {
    const { installation } = this.stage;
    if (installation.mode === 'postgres') return 0;
    const { pid } = await installation.onMongo((db) => db.command({ serverStatus: 1 }));
    return cpuSeconds(Number(pid));
  }

  /** Whether mongod notes what each pipeline takes, from now on. */
  private async profile(isOn: boolean): Promise<void> {
    const { installation } = this.stage;
    if (installation.mode === 'postgres') return;
    await installation.onMongo(async (db) => {
      await db.command({ profile: 0 });
      await db.dropCollection(PROFILE).catch(() => undefined);
      if (!isOn) return;
      // The usual megabyte would lose the first ones of a large copy.
      await db.createCollection(PROFILE, { capped: true, size: 64 * MB });
      await db.command({ profile: 1, filter: { 'command.aggregate': 'labeled_image' } });
    });
  }

  /** @returns null where there is no MongoDB */
  private async pipelinesMs(): Promise<number | null> {
    const { installation } = this.stage;
    if (installation.mode === 'postgres') return null;
    const notes = await installation.onMongo((db) => db.collection(PROFILE).find(WRITES).toArray());
    return notes.reduce((sum, { millis }) => sum + Number(millis), 0);
  }
}

const PROFILE = 'system.profile';
/** A copy counts its documents by a pipeline, too. */
const WRITES = {
  $or: ['$merge', '$out'].map((stage) => ({ [`command.pipeline.${stage}`]: { $exists: true } })),
};

function cpuFigures(before: Counters, after: Counters): [string, number][] {
  return (['PostgreSQL', 'mongod', 'the service'] as const)
    .map((program): [string, number] => [program, after.cpu[program] - before.cpu[program]])
    .filter(([, seconds]) => seconds > 0);
}
