import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect, createServer, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import mongoose from 'mongoose';
import { eventually } from './eventually';

const REPLICA_SET = 'rs0';

const SETTINGS = [...['--bind_ip', '127.0.0.1', '--nounixsocket'], ...['--replSet', REPLICA_SET]];

/** For throwaway data beside other servers; the journal is always on. Test commands are such as `configureFailPoint`. */
const TEST_SETTINGS = [
  ...['--wiredTigerCacheSizeGB', '0.25'],
  ...['--setParameter', 'enableTestCommands=1'],
  ...['--setParameter', 'diagnosticDataCollectionEnabled=false'],
];

/**
 * The shell becomes mongod, and an orphaned watchdog reads a pipe that ends with this process, also by kill -9 (see
 * embedded-postgres.ts). It ends with mongod as well: only where this process has gone nobody else removes the folder.
 */
const WATCHED = `
  folder=$1; shift
  exec 3<&0 </dev/null
  ( { read -r _ <&3; kill -KILL $$; sleep 1; kill -0 $PPID || rm -rf "$folder"; } >/dev/null 2>&1 & )
  exec 3<&- "$@"
`;

export interface MongodOptions {
  readonly port?: number;
  /** A folder of the caller's, with or without data of an earlier server on the same port; stop() leaves it. */
  readonly folder?: string;
  /** The one that global-setup.ts found where nothing else is said. */
  readonly binary?: string;
  /** With the cache and the diagnostics that mongod has by itself: what is measured must not depend on settings of tests. */
  readonly isOrdinary?: boolean;
}

/** A mongod as a child process: a replica set of one node on loopback. It does not outlive this process. */
export class Mongod {
  readonly uri: string;
  private server: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    readonly folder: string,
    private readonly isOwnFolder: boolean,
    private readonly command: readonly string[],
  ) {
    this.uri = `mongodb://127.0.0.1:${port}/?replicaSet=${REPLICA_SET}`;
  }

  /** Resolves when it is primary; takes about half a second. */
  static async start(options: MongodOptions = {}): Promise<Mongod> {
    const { port, folder, binary = foundBinary(), isOrdinary = false } = options;
    const data = folder ?? (await mkdtemp(path.join(tmpdir(), 'training-tasks-mongod-')));
    await mkdir(data, { recursive: true });
    const command = [binary, ...SETTINGS, ...(isOrdinary ? [] : TEST_SETTINGS)];
    const mongod = new Mongod(port ?? (await freePort()), data, folder === undefined, command);
    try {
      await mongod.launch();
    } catch (fault) {
      await mongod.stop();
      throw fault;
    }
    return mongod;
  }

  get pid(): number | undefined {
    return this.server?.pid;
  }

  /** SIGKILL; resolves when the process has gone. */
  async kill(): Promise<void> {
    const server = this.server;
    this.server = undefined;
    if (!server || hasEnded(server)) return;
    server.ref();
    const gone = once(server, 'exit');
    server.kill('SIGKILL');
    await gone;
  }

  /** On the same port and data, killed before if it still runs; resolves when it is primary again. */
  async restart(): Promise<void> {
    await this.kill();
    await this.launch();
  }

  async stop(): Promise<void> {
    await this.kill();
    if (this.isOwnFolder) await rm(this.folder, { recursive: true, force: true });
  }

  private async launch(): Promise<void> {
    const server = spawnServer(this.command, this.port, this.folder, this.isOwnFolder);
    this.server = server;
    await eventually('mongod listens', async () => {
      if (hasEnded(server)) throw new Error(`mongod ended at its start: ${await this.lastWords()}`);
      return accepts(this.port);
    });
    await becomePrimary(`127.0.0.1:${this.port}`);
  }

  private async lastWords(): Promise<string> {
    const log = await readFile(logOf(this.folder), 'utf8');
    return log.trim().split('\n').slice(-5).join('\n');
  }
}

function foundBinary(): string {
  const binary = process.env['TEST_MONGOD_BINARY'];
  if (binary === undefined)
    throw new Error('global-setup.ts found no mongod: suites that need one stand in describeWithMongod()');
  return binary;
}

function spawnServer(
  command: readonly string[],
  port: number,
  folder: string,
  isOwnFolder: boolean,
): ChildProcess {
  const log = openSync(logOf(folder), 'a');
  const args = [...command, '--dbpath', folder, '--port', String(port)];
  // A session of its own: at Ctrl-C the tests still use it.
  const server = spawn('/bin/sh', ['-c', WATCHED, 'watched', isOwnFolder ? folder : '', ...args], {
    detached: true,
    stdio: ['pipe', log, log],
  });
  closeSync(log);
  // It does not keep this process alive.
  server.unref();
  if (server.stdin instanceof Socket) server.stdin.unref();
  return server;
}

function logOf(folder: string): string {
  return path.join(folder, 'mongod.log');
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** The driver would look only twice a second whether there is a server. */
async function accepts(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function becomePrimary(host: string): Promise<void> {
  const client = new mongoose.mongo.MongoClient(`mongodb://${host}/?directConnection=true`);
  try {
    const admin = client.db('admin');
    const members = [{ _id: 0, host }];
    await admin.command({ replSetInitiate: { _id: REPLICA_SET, members } }).catch((fault: unknown) => {
      if ((fault as { codeName?: string }).codeName !== 'AlreadyInitialized') throw fault;
    });
    await eventually('mongod is primary', async () => {
      const { isWritablePrimary } = await admin.command({ hello: 1 });
      return isWritablePrimary === true;
    });
  } finally {
    await client.close();
  }
}

/** Below those that systems give to outgoing connections: nobody takes it while the server is down for a restart. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
