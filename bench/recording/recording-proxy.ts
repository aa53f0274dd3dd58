import { once } from 'node:events';
import {
  connect,
  createServer,
  type AddressInfo,
  type NetConnectOpts,
  type Server,
  type Socket,
} from 'node:net';

/** Understands one connection. */
export interface Wire {
  request(bytes: Buffer): void;
  answer(bytes: Buffer): void;
}

/** Stands between a service and a database on loopback, and hands on all that passes. */
export class RecordingProxy {
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly target: NetConnectOpts,
    private readonly wire: () => Wire,
  ) {
    server.on('connection', (client) => this.forward(client));
  }

  /** @param wire is called for each connection */
  static async open(target: NetConnectOpts, wire: () => Wire): Promise<RecordingProxy> {
    const server = createServer({ noDelay: true });
    const proxy = new RecordingProxy(server, target, wire);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = once(this.server.close(), 'close');
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  private forward(client: Socket): void {
    const server = connect(this.target);
    const wire = this.wire();
    client.on('data', (bytes) => {
      wire.request(bytes);
      server.write(bytes);
    });
    server.on('data', (bytes) => {
      wire.answer(bytes);
      client.write(bytes);
    });
    for (const socket of [client, server]) {
      this.sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        this.sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
  }
}
