import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { urlOf } from './test-database';

/** How PostgreSQL names its socket. */
const SOCKET = '.s.PGSQL.5432';

/** Stands between a service and the test server, so that the one can lose the other while other tests go on using it. */
export class DatabaseProxy {
  private readonly sockets = new Set<Socket>();
  private server: Server | undefined;
  private isFrozen = false;

  private constructor(
    private readonly folder: string,
    private readonly target: string,
  ) {}

  static async open(): Promise<DatabaseProxy> {
    const folder = await mkdtemp(join(tmpdir(), 'training-tasks-proxy-'));
    const proxy = new DatabaseProxy(folder, decodeURIComponent(new URL(urlOf('postgres')).hostname));
    await proxy.restore();
    return proxy;
  }

  /** The address of the test server by way of this proxy. */
  get url(): string {
    return urlOf('postgres').replace(encodeURIComponent(this.target), encodeURIComponent(this.folder));
  }

  /** The server is gone: connections break, and there is nobody to connect to. */
  async cut(): Promise<void> {
    const closed = this.server && once(this.server.close(), 'close');
    this.server = undefined;
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  /** The server says nothing any more, neither on the connections that there are nor on new ones. */
  freeze(): void {
    this.isFrozen = true;
    for (const socket of this.sockets) socket.pause();
  }

  async restore(): Promise<void> {
    this.isFrozen = false;
    for (const socket of this.sockets) socket.resume();
    if (this.server) return;
    this.server = createServer((client) => this.forward(client)).listen(join(this.folder, SOCKET));
    await once(this.server, 'listening');
  }

  async close(): Promise<void> {
    await this.cut();
    await rm(this.folder, { recursive: true, force: true });
  }

  private forward(client: Socket): void {
    const server = connect(join(this.target, SOCKET));
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.sockets.add(from);
      from.on('data', (bytes) => to.write(bytes));
      from.on('error', () => from.destroy());
      from.on('close', () => {
        this.sockets.delete(from);
        to.destroy();
      });
      if (this.isFrozen) from.pause();
    }
  }
}
