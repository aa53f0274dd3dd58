import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { ERRORS, type ErrorName } from '../../src/errors/errors';
import { loadEnvironment } from '../../src/config/environment';
import { Service } from '../../src/service';
import { Sweeper } from '../../src/tasks/sweeper';
import { Api, newTaskId, type Answer } from '../support/api';
import { describeInEachMode } from '../support/document-mode';
import { Databases } from './support/databases';
import { expectSwept, expectWhole } from './support/invariants';
import {
  apply,
  noteOf,
  orders,
  type Content,
  type Model,
  type Operation,
  type Outcome,
} from './support/task-model';

/** To replay what a failure prints: `FAULT_SEED=… FAULT_PATH=… npm run test:faults -- races`; FAULT_QUICK: not made smaller. */
const { FAULT_SEED, FAULT_PATH, FAULT_QUICK } = process.env;
const SEED = Number(FAULT_SEED ?? Date.now() % 2 ** 31);

const TASKS = [0, 1, 2, 3];
const NODES = 2;
/** Answers of who waited in vain or was turned away: nothing may have happened. */
const NO_EFFECT: ReadonlySet<Outcome> = new Set(['TASK_BUSY', 'TOO_MANY_COPIES']);

/** One request of a round, not yet tied to what is there then. */
interface Request {
  readonly kind: Operation['kind'];
  readonly source: number;
  readonly target: number;
  readonly size: number;
  readonly node: number;
  readonly delayMs: number;
}

const request: fc.Arbitrary<Request> = fc.record({
  kind: fc.oneof(
    { weight: 5, arbitrary: fc.constant('duplicate' as const) },
    { weight: 2, arbitrary: fc.constant('import' as const) },
    { weight: 3, arbitrary: fc.constant('edit' as const) },
    { weight: 1, arbitrary: fc.constant('delete' as const) },
    { weight: 1, arbitrary: fc.constant('create' as const) },
  ),
  source: fc.constantFrom(...TASKS),
  target: fc.constantFrom(...TASKS),
  size: fc.integer({ min: 1, max: 40 }),
  node: fc.nat(NODES - 1),
  delayMs: fc.oneof(fc.constant(0), fc.nat(30)),
});
/** Requests of one round are sent at once; five have 120 orders. */
const rounds = fc.array(fc.array(request, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 5 });

describeInEachMode('writes that meet', (mode) => {
  let databases: Databases;
  let nodes: Service[];

  beforeAll(async () => {
    databases = await Databases.create(mode);
    const environment = loadEnvironment({
      PORT: '0',
      DATABASE_URL: databases.databaseUrl,
      MONGODB_URI: databases.mongodbUri,
      SWEEP_KEEP_S: '0',
      // The sweepers of both nodes run all the time.
      SWEEP_INTERVAL_S: '1',
    });
    nodes = [];
    while (nodes.length < NODES) nodes.push(await Service.start(environment, { quiet: true }));
    console.log(`FAULT_SEED=${String(SEED)}`);
  });
  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    await databases.drop();
  });

  it('have taken effect one after the other, on whichever node they arrived', async () => {
    await fc.assert(
      fc.asyncProperty(rounds, async (all) => {
        const run = new Run(
          databases,
          nodes.map(({ url }) => new Api(url)),
        );
        for (const requests of all) await run.round(requests);
        await expectSwept(databases, () => nodes[0]!.app.get(Sweeper).sweep());
        await run.expectState();
      }),
      {
        seed: SEED,
        numRuns: 40,
        ...(FAULT_PATH !== undefined && { path: FAULT_PATH }),
        endOnFailure: FAULT_QUICK !== undefined,
      },
    );
  }, 600_000);
});

/** A few tasks of its own, written by rounds of concurrent requests, beside the model of what must be there. */
class Run {
  private readonly ids = TASKS.map(() => newTaskId());
  private model: Model = new Map();
  private operations = 0;

  constructor(
    private readonly databases: Databases,
    private readonly apis: readonly Api[],
  ) {}

  async round(requests: readonly Request[]): Promise<void> {
    const images = await this.imageIds();
    const sent = requests.map((one) => ({ ...one, operation: this.operationOf(one) }));
    const outcomes = await Promise.all(
      sent.map(async ({ operation, node, delayMs }) => {
        await sleep(delayMs);
        return outcomeOf(await this.send(this.apis[node]!, operation, images));
      }),
    );
    await expectWhole(this.databases);
    const effective = sent
      .map(({ operation }, at) => ({ operation, outcome: outcomes[at]! }))
      .filter(({ outcome }) => !NO_EFFECT.has(outcome));
    this.model = explain(this.model, effective, await this.state());
  }

  async expectState(): Promise<void> {
    expect(await this.state()).toBe(stateOf(this.model));
  }

  private operationOf({ kind, source, target, size }: Request): Operation {
    const number = ++this.operations;
    switch (kind) {
      case 'duplicate':
        return { number, kind, source, target };
      case 'import':
        return { number, kind, target, images: size };
      case 'edit': {
        const content = this.model.get(target)?.content;
        // An edit of nothing is sent, too: it is refused.
        return {
          number,
          kind,
          target,
          filling: content?.filling ?? 0,
          place: size % (content?.notes.length ?? 1),
        };
      }
      default:
        return { number, kind, target };
    }
  }

  private send(api: Api, operation: Operation, images: readonly (readonly string[])[]): Promise<Answer> {
    const task = this.ids[operation.target]!;
    const path = `/training/tasks/${task}`;
    switch (operation.kind) {
      case 'duplicate':
        return api.duplicate(this.ids[operation.source]!, task);
      case 'import':
        return api.importCoco(task, aDataSet(operation.number, operation.images));
      case 'edit': {
        const image = images[operation.target]![operation.place] ?? '2018080810000000001';
        return this.edit(api, `${path}/images/${image}/annotations`, task, operation);
      }
      case 'delete':
        return api.send('DELETE', path);
      case 'create':
        return api.post('/training/tasks', { task_id: task, task_name: 'a', task_type: 1 });
    }
  }

  private async edit(
    api: Api,
    path: string,
    task: string,
    { number, place }: Extract<Operation, { kind: 'edit' }>,
  ): Promise<Answer> {
    const [row] = await this.databases.query<{ id: number }>(
      `SELECT id FROM label_class WHERE task_id = $1`,
      [task],
    );
    const annotations = row ? [{ lab_class_id: row.id, note: noteOf(number, place) }] : [];
    return api.send('PUT', path, {
      body: JSON.stringify({ annotations }),
      headers: { 'Content-Type': 'application/json' },
    });
  }

  /** Of each task, by their order. */
  private async imageIds(): Promise<string[][]> {
    const rows = await this.databases.query<{ task_id: string; id: string }>(
      `SELECT task_id, id FROM image WHERE task_id = ANY ($1::bigint[]) ORDER BY task_id, order_id`,
      [this.ids],
    );
    return this.ids.map((task) => rows.filter(({ task_id }) => task_id === task).map(({ id }) => id));
  }

  /** What is there, in the words of the model. */
  private async state(): Promise<string> {
    const images = await this.databases.query<{ task_id: string; mongo_id: string }>(
      `SELECT task_id, mongo_id FROM image WHERE task_id = ANY ($1::bigint[]) ORDER BY task_id, order_id`,
      [this.ids],
    );
    const documents = new Map(
      (await this.databases.documents()).map(({ id, annotations }) => [id, annotations]),
    );
    const tasks = await this.databases.query<{ task_id: string; source: string | null }>(
      `SELECT task.task_id, source_task_id AS source
       FROM task
       LEFT JOIN task_duplication AS duplication ON duplication.task_id = task.task_id AND state = 'done'
       WHERE task.task_id = ANY ($1::bigint[])
       ORDER BY task.task_id`,
      [this.ids],
    );
    return JSON.stringify(
      tasks.map(({ task_id, source }) => [
        this.ids.indexOf(task_id),
        source === null ? null : this.ids.indexOf(source),
        images
          .filter((image) => image.task_id === task_id)
          .map(({ mongo_id }) => documents.get(mongo_id)?.[0]?.['note']),
      ]),
    );
  }
}

/** The model after these operations, in an order in which each answers what it has answered and this is what is there. */
function explain(
  before: Model,
  effective: readonly { operation: Operation; outcome: Outcome }[],
  state: string,
): Model {
  for (const order of orders(effective)) {
    let model = before;
    const isPossible = order.every(({ operation, outcome }) => {
      const result = apply(model, operation);
      model = result.model;
      return result.outcome === outcome;
    });
    if (isPossible && stateOf(model) === state) return model;
  }
  throw new Error(
    `no order explains it.\nbefore: ${stateOf(before)}\nanswered: ${JSON.stringify(effective)}\nthere is: ${state}`,
  );
}

function stateOf(model: Model): string {
  const notes = (content: Content | null) => content?.notes ?? [];
  return JSON.stringify(
    [...model]
      .sort(([one], [other]) => one - other)
      .map(([key, { content, copyOf }]) => [key, copyOf, notes(content)]),
  );
}

const NAMES = new Map(Object.entries(ERRORS).map(([name, { code }]) => [code as number, name as ErrorName]));

function outcomeOf({ status, body }: Answer): Outcome {
  if (status < 300) return 'ok';
  const name = NAMES.get(Number(body['code']));
  if (name === undefined || status >= 500) throw new Error(`unexpected: ${JSON.stringify(body)}`);
  return name;
}

function aDataSet(operation: number, images: number): object {
  const places = Array.from({ length: images }, (_, place) => place);
  return {
    images: places.map((place) => ({ id: place, file_name: 'a.jpg', width: 10, height: 10 })),
    categories: [{ id: 1, name: 'a' }],
    annotations: places.map((place) => ({
      id: place,
      image_id: place,
      category_id: 1,
      note: noteOf(operation, place),
    })),
  };
}
