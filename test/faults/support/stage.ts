import { setTimeout as sleep } from 'node:timers/promises';
import { types } from 'node:util';
import { loadEnvironment } from '../../../src/config/environment';
import { Service } from '../../../src/service';
import { Sweeper, type SweepReport } from '../../../src/tasks/sweeper';
import { ServiceProcess } from '../../process/support/service-process';
import { Api, type Answer } from '../../support/api';
import type { DocumentMode } from '../../support/document-mode';
import { Databases } from './databases';
import { MONGODB, POSTGRESQL } from './protocols';
import { StepProxy } from './step-proxy';
import { Steps } from './steps';

const RETRY_MS_MAX = 60_000;

/**
 * One installation with two nodes: `node`, a process whose connections to both databases go through proxies that can break
 * them at any step, and `witness`, which has connections of its own and nothing to fear.
 */
export class Stage {
  readonly steps = new Steps();
  private node: ServiceProcess | undefined;
  private readonly proxies: StepProxy[] = [];

  private constructor(
    readonly databases: Databases,
    private readonly witness: Service,
  ) {}

  static async open(mode: DocumentMode): Promise<Stage> {
    const databases = await Databases.create(mode);
    const witness = await Service.start(
      loadEnvironment({ ...SETTINGS, ...addresses(databases.databaseUrl, databases.mongodbUri) }),
      { quiet: true },
    );
    return new Stage(databases, witness);
  }

  /** The node that is harmed; started where it is not running. */
  async api(): Promise<Api> {
    this.node ??= await this.start();
    return this.node.api;
  }

  /** The node that is not. */
  get witnessApi(): Api {
    return new Api(this.witness.url);
  }

  /** SIGKILL; the next api() starts another one. */
  async kill(): Promise<void> {
    const node = this.node;
    this.node = undefined;
    await node?.stop('SIGKILL');
  }

  signal(signal: NodeJS.Signals): void {
    this.node?.program.kill(signal);
  }

  /** What the node has logged. */
  get nodeLog(): string {
    return this.node ? this.node.program.stdout + this.node.program.stderr : '';
  }

  sweep(): Promise<SweepReport> {
    return this.witness.app.get(Sweeper).sweep();
  }

  /** Asks until it is answered, as a client does: a lost connection, a 503 and a busy task are worth repeating, nothing else is. */
  async duplicateUntilDone(source: string, target: string): Promise<Answer> {
    for (const deadline = Date.now() + RETRY_MS_MAX; ;) {
      const answer = await attempt(() => this.api().then((api) => api.duplicate(source, target)));
      if (answer?.status === 200) return answer;
      if (answer && !isWorthRepeating(answer)) throw new Error(`not worth repeating: ${answer.text}`);
      if (Date.now() > deadline) throw new Error(`not done in time: ${answer?.text ?? 'no answer'}`);
      await sleep(100);
    }
  }

  async close(): Promise<void> {
    await this.kill();
    await this.witness.stop();
    for (const proxy of this.proxies) await proxy.close();
    await this.databases.drop();
  }

  private async start(): Promise<ServiceProcess> {
    const { databaseUrl, mongodbUri } = this.databases;
    if (this.proxies.length === 0) await this.openProxies();
    const [postgres, mongo] = this.proxies;
    return ServiceProcess.start({
      ...SETTINGS,
      ...addresses(
        throughProxy(databaseUrl, postgres!.port),
        mongodbUri &&
          `mongodb://127.0.0.1:${String(mongo!.port)}${databaseOf(mongodbUri)}?directConnection=true`,
      ),
    });
  }

  private async openProxies(): Promise<void> {
    const { databaseUrl, mongodbUri } = this.databases;
    const socket = `${decodeURIComponent(new URL(databaseUrl).hostname)}/.s.PGSQL.5432`;
    this.proxies.push(await StepProxy.open({ path: socket }, POSTGRESQL, this.steps));
    if (mongodbUri === undefined) return;
    const port = Number(new URL(mongodbUri).port);
    this.proxies.push(await StepProxy.open({ port, host: '127.0.0.1' }, MONGODB, this.steps));
  }
}

/** Nothing happens on its own: the tests sweep when they want to. */
const SETTINGS = { PORT: '0', MIGRATIONS_RUN: 'false', SWEEP_INTERVAL_S: '0', SWEEP_KEEP_S: '0' };

function addresses(databaseUrl: string, mongodbUri: string | undefined): Record<string, string> {
  return { DATABASE_URL: databaseUrl, ...(mongodbUri !== undefined && { MONGODB_URI: mongodbUri }) };
}

function throughProxy(url: string, port: number): string {
  const address = new URL(url);
  return `postgresql://${address.username}@127.0.0.1:${String(port)}${address.pathname}?sslmode=disable`;
}

function databaseOf(uri: string): string {
  return new URL(uri).pathname;
}

/** null: the connection to the service broke. */
export async function attempt(request: () => Promise<Answer>): Promise<Answer | null> {
  try {
    return await request();
  } catch (error) {
    // What fetch() throws for a network error; not by `instanceof`, which knows the errors of Jest's realm.
    if (types.isNativeError(error) && error.name === 'TypeError') return null;
    throw error;
  }
}

export function isWorthRepeating({ status, headers }: Answer): boolean {
  return (status === 503 || status === 409) && headers.has('Retry-After');
}
