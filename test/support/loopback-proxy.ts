import { once } from 'node:events';
import {
  connect,
  createServer,
  type AddressInfo,
  type NetConnectOpts,
  type Server,
  type Socket,
} from 'node:net';

/** Stands between a service and a database on loopback; what comes through from one to the other is for its subclass to say. */
export abstract class LoopbackProxy {
  /** Of both sides. */
  protected readonly sockets = new Set<Socket>();
  private readonly listener: Server;

  protected constructor(private readonly target: NetConnectOpts) {
    this.listener = createServer({ noDelay: true }, (client) => this.take(client));
  }

  get port(): number {
    return (this.listener.address() as AddressInfo).port;
  }

  /** Breaks every connection; new ones are taken. */
  cutAll(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    const closed = once(this.listener.close(), 'close');
    this.cutAll();
    await closed;
  }

  /** Resolves when it can be connected to. */
  protected async listen(): Promise<this> {
    await once(this.listener.listen(0, '127.0.0.1'), 'listening');
    return this;
  }

  /** Called for each connection, before anything has come. `cut` breaks it. */
  protected abstract forward(client: Socket, server: Socket, cut: () => void): void;

  private take(client: Socket): void {
    const server = connect(this.target);
    const cut = (): void => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.sockets.add(socket);
      socket.on('error', cut);
      socket.on('close', () => {
        this.sockets.delete(socket);
        cut();
      });
    }
    this.forward(client, server, cut);
  }
}

/** Where the server of this address listens: the embedded PostgreSQL on a socket, mongod on a port. */
export function listenerOf(url: string): NetConnectOpts {
  const { protocol, hostname, port } = new URL(url);
  if (protocol === 'mongodb:') return { host: '127.0.0.1', port: Number(port) };
  return { path: `${decodeURIComponent(hostname)}/.s.PGSQL.5432` };
}

/** The same database by way of a proxy; `name` is that of the sessions. */
export function throughProxy(url: string, { port }: LoopbackProxy, name: string): string {
  const { protocol, username, pathname } = new URL(url);
  // A client of a replica set would go to the address that the set has, past the proxy.
  if (protocol === 'mongodb:')
    return `mongodb://127.0.0.1:${String(port)}${pathname}?directConnection=true&appName=${name}`;
  return `postgresql://${username}@127.0.0.1:${String(port)}${pathname}?sslmode=disable&application_name=${name}`;
}
