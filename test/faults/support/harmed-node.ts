import { ServiceProcess } from '../../process/support/service-process';
import type { Answer, Api } from '../../support/api';
import { listenerOf, throughProxy } from '../../support/loopback-proxy';
import { attempt } from './attempt';
import { addressesOf, type Addresses, type Databases } from './databases';
import { MONGODB, POSTGRESQL } from './protocols';
import { StepProxy } from './step-proxy';
import { Steps, type When } from './steps';

/** The name of its sessions, in both databases. */
export const HARMED = 'harmed-node';

/** A node as a process, whose connections to both databases go through proxies that can break them at any step. */
export class HarmedNode {
  private process: ServiceProcess | undefined;

  private constructor(
    readonly steps: Steps,
    private readonly settings: Record<string, string>,
    readonly postgresql: StepProxy,
    private readonly mongoProxy: StepProxy | undefined,
  ) {}

  static async open(databases: Databases, settings: Record<string, string>): Promise<HarmedNode> {
    const { databaseUrl, mongodbUri } = databases;
    const steps = new Steps();
    const postgres = await StepProxy.open(listenerOf(databaseUrl), POSTGRESQL, steps);
    const mongo =
      mongodbUri === undefined ? undefined : await StepProxy.open(listenerOf(mongodbUri), MONGODB, steps);
    const addresses: Addresses = {
      databaseUrl: throughProxy(databaseUrl, postgres, HARMED),
      mongodbUri: mongo && throughProxy(mongodbUri!, mongo, HARMED), // with the one there is the other
    };
    return new HarmedNode(steps, { ...settings, ...addressesOf(addresses) }, postgres, mongo);
  }

  /** Where the documents are in MongoDB. */
  get mongodb(): StepProxy {
    if (!this.mongoProxy) throw new Error('this node has no MongoDB');
    return this.mongoProxy;
  }

  /** Started where it is not running. */
  async api(): Promise<Api> {
    this.process ??= await ServiceProcess.start(this.settings);
    return this.process.api;
  }

  /** SIGKILL; the next api() starts another process. */
  async kill(): Promise<void> {
    const { process } = this;
    this.process = undefined;
    await process?.stop('SIGKILL');
  }

  signal(signal: NodeJS.Signals): void {
    this.process?.program.kill(signal);
  }

  /**
   * Sends a request, and holds up what the node asks at the first `steps` steps that read like this. `strike` is called as
   * soon as all of them are held.
   * @throws Error when the request is answered before
   */
  async heldAt(
    when: When,
    step: RegExp,
    request: (api: Api) => Promise<Answer>,
    strike: () => void = () => undefined,
    steps = 1,
  ): Promise<{ answering: Promise<Answer | null>; goOn: () => void }> {
    const api = await this.api();
    const held: (() => void)[] = [];
    const struck = new Promise<() => void>((resolve) => {
      const hold = (_cut: () => void, goOn: () => void): void => {
        if (held.push(goOn) < steps) return;
        strike();
        resolve(() => held.forEach((goOn) => goOn()));
      };
      this.steps.strikeOn(step, { when, strike: hold }, steps);
    });
    const answering = attempt(() => request(api));
    const goOn = await Promise.race([struck, answering]);
    if (typeof goOn === 'function') return { answering, goOn };
    throw new Error(`answered before ${String(step)}: ${goOn?.text ?? ''}\n${this.steps.log.join('\n')}`);
  }

  /** Why the last request failed that it answered by a 5xx. */
  get lastFault(): string {
    return this.log.split('\n').findLast((line) => line.includes('request_failed')) ?? 'none was logged';
  }

  /** What it has logged. */
  get log(): string {
    return this.process ? this.process.program.stdout + this.process.program.stderr : '';
  }

  async close(): Promise<void> {
    await this.kill();
    await this.postgresql.close();
    await this.mongoProxy?.close();
  }
}
