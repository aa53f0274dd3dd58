import { once } from 'node:events';
import {
  connect,
  createServer,
  type AddressInfo,
  type NetConnectOpts,
  type Server,
  type Socket,
} from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Piece, Protocol } from './protocols';
import type { Steps } from './steps';

type Send = (bytes: Buffer) => void;

/**
 * Stands between a service and a database on loopback and counts what the service asks: each request of the protocol is
 * one step, at which `Steps` may do harm before it is forwarded, or after it took effect and before its answer. The whole
 * way may be cut, fall silent or be slow as well.
 */
export class StepProxy {
  private readonly sockets = new Set<Socket>();
  private isCut = false;
  private isFrozen = false;
  private delayMs = 0;

  private constructor(
    private readonly server: Server,
    private readonly target: NetConnectOpts,
    private readonly protocol: Protocol,
    private readonly steps: Steps,
  ) {
    server.on('connection', (client) => this.forward(client));
  }

  static async open(target: NetConnectOpts, protocol: Protocol, steps: Steps): Promise<StepProxy> {
    const server = createServer({ noDelay: true });
    const proxy = new StepProxy(server, target, protocol, steps);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.sockets.size / 2;
  }

  /** Breaks every connection; new ones are taken. */
  cutAll(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** Breaks every connection, and new ones as soon as they are there. */
  cut(): void {
    this.isCut = true;
    this.cutAll();
  }

  /** Nothing comes through any more, neither on the connections that there are nor on new ones; not even their end. */
  freeze(): void {
    this.isFrozen = true;
    for (const socket of this.sockets) socket.pause();
  }

  /** Every chunk takes this long, in either direction, one after the other. */
  slow(delayMs: number): void {
    this.delayMs = delayMs;
  }

  /** As if nothing had been; what was held up comes through now. */
  restore(): void {
    this.isCut = false;
    this.isFrozen = false;
    this.delayMs = 0;
    for (const socket of this.sockets) socket.resume();
  }

  async close(): Promise<void> {
    const closed = once(this.server.close(), 'close');
    this.cutAll();
    await closed;
  }

  private forward(client: Socket): void {
    const server = connect(this.target);
    const cut = (): void => {
      client.destroy();
      server.destroy();
    };
    const answers = new Answers(this.way(client));
    const requests = new Requests(this.steps, cut, this.way(server), answers);
    const pieces = this.protocol.requests();
    client.on('data', (bytes) => requests.take(pieces(bytes)));
    server.on('data', (bytes) => answers.take(bytes));
    for (const socket of [client, server]) {
      this.sockets.add(socket);
      socket.on('error', cut);
      socket.on('close', () => {
        this.sockets.delete(socket);
        cut();
      });
      if (this.isFrozen) socket.pause();
    }
    if (this.isCut) cut();
  }

  /** What is slow must not be overtaken by what comes later. */
  private way(to: Socket): Send {
    let last = Promise.resolve();
    let underway = 0;
    return (bytes) => {
      if (this.delayMs === 0 && underway === 0) {
        to.write(bytes);
        return;
      }
      underway++;
      last = last.then(async () => {
        await sleep(this.delayMs);
        underway--;
        to.write(bytes);
      });
    };
  }
}

/** What a service sends on one connection. */
class Requests {
  /** What came behind a step that is held up. */
  private waiting: Piece[] | undefined;

  constructor(
    private readonly steps: Steps,
    private readonly cut: () => void,
    private readonly send: Send,
    private readonly answers: Answers,
  ) {}

  take(pieces: Piece[]): void {
    if (this.waiting) this.waiting.push(...pieces);
    else this.forward(pieces);
  }

  private forward(pieces: Piece[]): void {
    for (const [at, { step, message, isAnswered }] of pieces.entries()) {
      const fault = step === undefined ? undefined : this.steps.take(step);
      if (fault?.when === 'before') {
        this.waiting = pieces.slice(at + 1);
        fault.strike(this.cut, () => this.goOn(message));
        return;
      }
      if (fault && isAnswered) this.answers.holdUp(isAnswered, (goOn) => fault.strike(this.cut, goOn));
      this.send(message);
    }
  }

  private goOn(message: Buffer): void {
    const waiting = this.waiting ?? [];
    this.waiting = undefined;
    this.send(message);
    this.forward(waiting);
  }
}

/** What a database answers on one connection. */
class Answers {
  private held: Buffer[] | undefined;
  private isAnswered: ((bytes: Buffer) => boolean) | undefined;
  private onAnswer: ((goOn: () => void) => void) | undefined;

  constructor(private readonly send: Send) {}

  holdUp(isAnswered: (bytes: Buffer) => boolean, onAnswer: (goOn: () => void) => void): void {
    this.held = [];
    this.isAnswered = isAnswered;
    this.onAnswer = onAnswer;
  }

  take(bytes: Buffer): void {
    if (!this.held) {
      this.send(bytes);
      return;
    }
    this.held.push(bytes);
    const { onAnswer } = this;
    if (!onAnswer || !this.isAnswered?.(bytes)) return;
    this.onAnswer = undefined;
    onAnswer(() => this.goOn());
  }

  private goOn(): void {
    for (const bytes of this.held ?? []) this.send(bytes);
    this.held = undefined;
  }
}
