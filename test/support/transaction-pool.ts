import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Which of the free sessions the next transaction gets: PgBouncer's server_round_robin = 0 and 1. */
export type Order = 'last-used' | 'in-turn';

/** Of the protocol: https://www.postgresql.org/docs/current/protocol-message-formats.html */
const READY_FOR_QUERY = 'Z'.charCodeAt(0);
const TERMINATE = 'X'.charCodeAt(0);
const IDLE = 'I'.charCodeAt(0);

/** A session of the server that transactions of all clients share. */
class Session {
  client: Socket | undefined;

  private constructor(
    private readonly socket: Socket,
    /** What the server said when it was opened: each client is told the same. */
    readonly greeting: Buffer,
  ) {}

  /** `startup` is a client's first message. */
  static async open(
    socketPath: string,
    startup: Buffer,
    onFree: (session: Session) => void,
  ): Promise<Session> {
    const socket = connect(socketPath);
    await once(socket, 'connect');
    socket.write(startup);
    const greeting = await new Promise<Buffer>((resolve) => {
      let said = Buffer.alloc(0);
      socket.on('data', function collect(bytes: Buffer) {
        said = Buffer.concat([said, bytes]);
        if (!endsIdle(said)) return;
        socket.off('data', collect);
        resolve(said);
      });
    });
    const session = new Session(socket, greeting);
    socket.on('data', (bytes: Buffer) => {
      session.client?.write(bytes);
      if (!endsIdle(bytes)) return;
      session.client = undefined;
      onFree(session);
    });
    return session;
  }

  send(message: Buffer): void {
    this.socket.write(message);
  }

  end(): void {
    this.socket.destroy();
  }
}

/** A pooler in transaction mode, as PgBouncer is one, with a few sessions of a server that is reached by its socket. */
export class TransactionPool {
  private readonly free: Session[] = [];
  private readonly sessions: Session[] = [];
  private readonly clients = new Set<Socket>();
  private readonly waiting: (() => void)[] = [];

  private constructor(
    private readonly server: Server,
    private readonly socketPath: string,
    private readonly size: number,
    private readonly order: Order,
  ) {}

  static async open(databaseUrl: string, size: number, order: Order): Promise<TransactionPool> {
    const folder = decodeURIComponent(new URL(databaseUrl).hostname);
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const pool = new TransactionPool(server, `${folder}/.s.PGSQL.5432`, size, order);
    server.on('connection', (client) => pool.serve(client));
    return pool;
  }

  /** The address of the same database through the pool. */
  urlOf(databaseUrl: string): string {
    const { username, pathname } = new URL(databaseUrl);
    const { port } = this.server.address() as AddressInfo;
    return `postgresql://${username}@127.0.0.1:${String(port)}${pathname}?sslmode=disable`;
  }

  async close(): Promise<void> {
    for (const client of this.clients) client.destroy();
    for (const session of this.sessions) session.end();
    this.server.close();
    await once(this.server, 'close');
  }

  private serve(client: Socket): void {
    this.clients.add(client);
    client.on('error', () => undefined).on('close', () => this.clients.delete(client));
    let isStarted = false;
    // One message of a client after the other.
    let turn = Promise.resolve();
    client.on('data', (message: Buffer) => {
      turn = turn.then(() => {
        if (isStarted) return this.pass(client, message);
        isStarted = true;
        return this.greet(client, message);
      });
    });
  }

  private async greet(client: Socket, startup: Buffer): Promise<void> {
    while (this.sessions.length < this.size) {
      const session = await Session.open(this.socketPath, startup, (freed) => this.release(freed));
      this.sessions.push(session);
      this.free.push(session);
    }
    client.write(this.sessions[0]!.greeting);
  }

  private async pass(client: Socket, message: Buffer): Promise<void> {
    if (message[0] === TERMINATE) return;
    const own = this.sessions.find((session) => session.client === client) ?? (await this.take());
    own.client = client;
    own.send(message);
  }

  private async take(): Promise<Session> {
    while (this.free.length === 0) await new Promise<void>((resolve) => this.waiting.push(resolve));
    return this.order === 'last-used' ? this.free.pop()! : this.free.shift()!;
  }

  private release(session: Session): void {
    this.free.push(session);
    this.waiting.shift()?.();
  }
}

/** Whether the last message is ReadyForQuery outside of a transaction. */
function endsIdle(bytes: Buffer): boolean {
  const last = bytes.subarray(-6);
  return last.length === 6 && last[0] === READY_FOR_QUERY && last.readUInt32BE(1) === 5 && last[5] === IDLE;
}
