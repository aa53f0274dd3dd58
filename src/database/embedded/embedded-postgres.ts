import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { StartError } from '../../config/start-error';
import { ensureCluster, placeData, type DataFolder } from './data-folder';
import { examineLock, isReady } from './data-lock';
import { findBinaries, SERVER_ENVIRONMENT, type PostgresBinaries } from './postgres-binaries';
import { ServerLog } from './server-log';
import { ServerSockets, SOCKET_PORT } from './server-sockets';

export interface EmbeddedPostgresOptions {
  dataDir: string;
  /** false only for throwaway data (tests, demo) */
  durable?: boolean;
}

type ServerProcess = ChildProcessByStdio<Writable, null, Readable>;

/** How long the server of a killed service may take to go: it writes a checkpoint, some seconds on a slow disk. */
const TAKE_OVER_MS = 15_000;
const RETRY_MS = 250;
const READY_POLL_MS = 20;
/** PostgreSQL's lock_file_exists: another server, or what is left of one, has the data. */
const LOCK_FILE_EXISTS = 'F0001';

/**
 * The shell becomes PostgreSQL, so that the child that Node knows is the server itself. Beside it a watchdog reads a pipe
 * on which nothing is ever written and which ends with this process, also by kill -9; then it sends SIGINT, PostgreSQL's
 * fast shutdown. The watchdog is orphaned because PostgreSQL takes the death of a child it does not know for a crash.
 */
const WATCHED = `
  exec 3<&0 </dev/null
  ( { read -r _ <&3; kill -INT $$; } >/dev/null 2>&1 & )
  exec 3<&- "$@"
`;

/**
 * A PostgreSQL of our own as a child process, reached only by a socket in a private folder. It does not outlive this
 * process, and does not keep it alive.
 */
export class EmbeddedPostgres {
  /** postgresql:// URL (database `postgres`) usable by pg (`connectionString`) and TypeORM (`url`). */
  readonly url: string;
  /** Settles when the server exits without stop() having been called (e.g. killed): the service must react. */
  readonly exited: Promise<string>;
  private readonly cleared: Promise<void>;
  private stopping = false;

  private constructor(
    private readonly server: ServerProcess,
    private readonly log: ServerLog,
    private readonly sockets: ServerSockets,
    gone: Promise<string>,
  ) {
    const host = encodeURIComponent(sockets.folder);
    // Port and sslmode are written out because pg takes what is missing from PGPORT and PGSSLMODE of the operator.
    this.url = `postgresql://postgres@${host}:${String(SOCKET_PORT)}/postgres?sslmode=disable`;
    this.exited = new Promise((resolve) => {
      void gone.then((how) => {
        if (!this.stopping) resolve(`PostgreSQL ended (${how}); the last it said: ${log.lastWords}`);
      });
    });
    this.cleared = gone.then(() => sockets.remove());
    log.forwarding = true;
    holdEventLoop(server, false);
  }

  /** @throws StartError wherever the operator can do something about it */
  static async start({ dataDir, durable = true }: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
    try {
      const data = placeData(dataDir);
      const binaries = await findBinaries(data.path, data.account);
      await ensureCluster(data, binaries, durable);
      const sockets = await ServerSockets.open(data.account);
      return await EmbeddedPostgres.launch(data, binaries, sockets, durable).catch(async (fault: unknown) => {
        await sockets.remove();
        throw fault;
      });
    } catch (fault) {
      if (!isSystemFault(fault)) throw fault;
      const remedy = 'point DATA_DIR to a folder that can be written, or set DATABASE_URL';
      throw cannotStart(dataDir, `${fault.message}; ${remedy}.`, fault);
    }
  }

  /** Fast shutdown, resolves when the server has gone. */
  stop(): Promise<void> {
    if (!this.stopping) {
      this.stopping = true;
      this.log.forwarding = false;
      // A service that starts meanwhile shall wait for this server and not take the data for in use.
      this.sockets.release();
      holdEventLoop(this.server, true);
      this.server.kill('SIGINT');
    }
    return this.cleared;
  }

  /** PostgreSQL itself decides who has the data: its refusal is waited out as long as the one before is on its way out. */
  private static async launch(
    data: DataFolder,
    binaries: PostgresBinaries,
    sockets: ServerSockets,
    durable: boolean,
  ): Promise<EmbeddedPostgres> {
    const args = [binaries.postgres, '-D', data.cluster, ...settings(sockets, durable)];
    for (const deadline = Date.now() + TAKE_OVER_MS; ; await sleep(RETRY_MS)) {
      const server = spawnServer(args, data);
      const log = new ServerLog(server.stderr);
      const gone = ended(server);
      const ready = await becomes(() => isReady(data.cluster, sockets.folder), gone);
      if (ready) return new EmbeddedPostgres(server, log, sockets, gone);

      if (!log.has(LOCK_FILE_EXISTS)) throw cannotStart(data.cluster, `${log.lastWords} (${await gone})`);
      const holder = await examineLock(data.cluster);
      if (Date.now() > deadline) throw cannotStart(data.cluster, stillHeld(holder, log));
    }
  }
}

function settings(sockets: ServerSockets, durable: boolean): string[] {
  const values = {
    listen_addresses: '',
    port: String(SOCKET_PORT),
    unix_socket_directories: `"${sockets.folder}"`,
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...ServerLog.SETTINGS,
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

function spawnServer(args: string[], { account }: DataFolder): ServerProcess {
  return spawn('/bin/sh', ['-c', WATCHED, 'watched', ...args], {
    ...account,
    // A session of its own: Ctrl-C must not reach the server while running requests end.
    detached: true,
    env: SERVER_ENVIRONMENT,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'pipe'],
  });
}

/** Settles when the process and all that it had to say are gone. */
function ended(server: ServerProcess): Promise<string> {
  return new Promise((resolve) => {
    server.on('error', (fault) => {
      resolve(fault.message);
    });
    server.on('close', (code, signal) => {
      resolve(signal ?? `exit code ${String(code)}`);
    });
  });
}

/** Without a time limit: recovery after a crash takes as long as it takes, and a server that gives up ends. */
async function becomes(ready: () => Promise<boolean>, gone: Promise<string>): Promise<boolean> {
  for (;;) {
    if (await ready()) return true;
    if ((await Promise.race([gone, sleep(READY_POLL_MS)])) !== undefined) return false;
  }
}

function holdEventLoop(server: ServerProcess, hold: boolean): void {
  for (const handle of [server, server.stdin, server.stderr]) {
    // Typed as plain streams, the pipes are sockets.
    if (handle === server || handle instanceof Socket) handle[hold ? 'ref' : 'unref']();
  }
}

function stillHeld(holder: number | undefined, log: ServerLog): string {
  if (holder === undefined) return log.lastWords;
  return `PostgreSQL process ${String(holder)}, which belongs to no running service, does not let go of the data; end it.`;
}

function isSystemFault(fault: unknown): fault is NodeJS.ErrnoException {
  return fault instanceof Error && 'code' in fault;
}

function cannotStart(folder: string, reason: string, cause?: unknown): StartError {
  return new StartError(`The embedded PostgreSQL cannot start in ${folder}: ${reason}`, { cause });
}
