import { once } from 'node:events';
import {
  connect,
  createServer,
  type AddressInfo,
  type NetConnectOpts,
  type Server,
  type Socket,
} from 'node:net';
import type { Protocol } from './protocols';
import type { Steps } from './steps';

/**
 * Stands between a service and a database on loopback and counts what the service asks: each request of the protocol is
 * one step, at which `Steps` may cut the connection before it is forwarded, or after it took effect and before its answer.
 */
export class StepProxy {
  private readonly sockets = new Set<Socket>();

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

  async close(): Promise<void> {
    const closed = once(this.server.close(), 'close');
    this.cutAll();
    await closed;
  }

  private forward(client: Socket): void {
    const server = connect(this.target);
    const requests = this.protocol.requests();
    /** What happens when the step that was forwarded has taken effect. */
    let onAnswer: ((bytes: Buffer) => void) | undefined;
    const cut = (): void => {
      client.destroy();
      server.destroy();
    };
    client.on('data', (bytes) => {
      for (const { step, message, isAnswered } of requests(bytes)) {
        const fault = step === undefined ? undefined : this.steps.take(step);
        if (fault?.when === 'before') {
          fault.strike(cut);
          return;
        }
        if (fault) {
          onAnswer = (answer) => {
            if (isAnswered?.(answer)) fault.strike(cut);
          };
        }
        server.write(message);
      }
    });
    server.on('data', (bytes) => {
      if (onAnswer) onAnswer(bytes);
      else client.write(bytes);
    });
    for (const socket of [client, server]) {
      this.sockets.add(socket);
      socket.on('error', cut);
      socket.on('close', () => {
        this.sockets.delete(socket);
        cut();
      });
    }
  }
}
