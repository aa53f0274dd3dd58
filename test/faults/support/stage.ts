import { loadEnvironment } from '../../../src/config/environment';
import { Service } from '../../../src/service';
import { Sweeper, type SweepReport } from '../../../src/tasks/sweeper';
import { Api, type Answer } from '../../support/api';
import type { DocumentMode } from '../../support/document-mode';
import { aTaskWithEverything } from './any-source';
import { untilDone } from './attempt';
import { addressesOf, Databases, type Addresses } from './databases';
import { HarmedNode } from './harmed-node';
import { faceOf, type TaskFace } from './invariants';
import type { Steps } from './steps';

/**
 * One installation with two nodes: `node`, a process whose connections to both databases go through proxies that can break
 * them at any step, and `witness`, which has connections of its own and nothing to fear.
 */
export class Stage {
  private readonly opened: HarmedNode[] = [];

  private constructor(
    readonly databases: Databases,
    private readonly witness: Service,
    readonly node: HarmedNode,
  ) {
    this.opened.push(node);
  }

  /** On the servers of all tests, where no others are given. */
  static async open(mode: DocumentMode, addresses?: Partial<Addresses>): Promise<Stage> {
    const databases = await Databases.create(mode, addresses);
    const witness = await startWitness(databases);
    return new Stage(databases, witness, await HarmedNode.open(databases, SETTINGS));
  }

  get steps(): Steps {
    return this.node.steps;
  }

  /** The node that is harmed; started where it is not running. */
  api(): Promise<Api> {
    return this.node.api();
  }

  /** The node that is not. */
  get witnessApi(): Api {
    return new Api(this.witness.url);
  }

  /** One more that can be harmed. */
  async anotherNode(): Promise<HarmedNode> {
    const node = await HarmedNode.open(this.databases, SETTINGS);
    this.opened.push(node);
    return node;
  }

  /** SIGKILL; the next api() starts another one. */
  kill(): Promise<void> {
    return this.node.kill();
  }

  signal(signal: NodeJS.Signals): void {
    this.node.signal(signal);
  }

  /** What the node has logged. */
  get nodeLog(): string {
    return this.node.log;
  }

  /** A task with one of everything, by the witness. @returns what a copy of it must be */
  async importSource(task: string): Promise<TaskFace> {
    const { status } = await this.witnessApi.importCoco(task, aTaskWithEverything());
    expect(status).toBe(200);
    return faceOf(this.databases, task);
  }

  sweep(): Promise<SweepReport> {
    return this.witness.app.get(Sweeper).sweep();
  }

  /** Asks the node until it is done. */
  duplicateUntilDone(source: string, target: string): Promise<Answer> {
    return untilDone(() => this.api().then((api) => api.duplicate(source, target)));
  }

  async close(): Promise<void> {
    for (const node of this.opened) await node.close();
    await this.witness.stop();
    await this.databases.drop();
  }
}

/** The name of its sessions in MongoDB. */
export const WITNESS = 'witness';

/** A node in this process, on connections of its own. */
export function startWitness({ databaseUrl, mongodbUri: uri }: Databases): Promise<Service> {
  const mongodbUri = uri && `${uri}${uri.includes('?') ? '&' : '?'}appName=${WITNESS}`;
  const addresses = addressesOf({ databaseUrl, mongodbUri });
  return Service.start(loadEnvironment({ ...SETTINGS, ...addresses }), { quiet: true });
}

/** Nothing happens on its own: the tests sweep when they want to. */
const SETTINGS = { PORT: '0', MIGRATIONS_RUN: 'false', SWEEP_INTERVAL_S: '0', SWEEP_KEEP_S: '0' };

export { attempt, isWorthRepeating, untilDone } from './attempt';
