import type { NetConnectOpts, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { LoopbackProxy } from '../../support/loopback-proxy';
import type { Piece, Protocol } from './protocols';
import type { Steps } from './steps';

type Send = (bytes: Buffer) => void;

/**
 * Counts what the service asks: each request of the protocol is one step, at which `Steps` may do harm before it is forwarded, or after it took effect and before its answer. The whole
 * way may be cut, fall silent or be slow as well.
 */
export class StepProxy extends LoopbackProxy {
  private isCut = false;
  private isFrozen = false;
  private delayMs = 0;

  private constructor(
    target: NetConnectOpts,
    private readonly protocol: Protocol,
    private readonly steps: Steps,
  ) {
    super(target);
  }

  static open(target: NetConnectOpts, protocol: Protocol, steps: Steps): Promise<StepProxy> {
    return new StepProxy(target, protocol, steps).listen();
  }

  get connections(): number {
    return this.sockets.size / 2;
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

  protected override forward(client: Socket, server: Socket, cut: () => void): void {
    const answers = new Answers(this.way(client));
    const requests = new Requests(this.steps, cut, this.way(server), answers);
    const pieces = this.protocol.requests();
    client.on('data', (bytes) => requests.take(pieces(bytes)));
    server.on('data', (bytes) => answers.take(bytes));
    if (this.isFrozen) for (const socket of [client, server]) socket.pause();
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
