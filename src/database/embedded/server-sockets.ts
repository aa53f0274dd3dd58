import { once } from 'node:events';
import { createServer, connect, type Server } from 'node:net';
import { chown, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StartError } from '../../config/start-error';
import { mayEnter, type ServerAccount } from './server-account';

const PREFIX = 'training-tasks-sockets-';
/** Part of the name of PostgreSQL's socket; nothing listens on the network. */
export const SOCKET_PORT = 5432;
const SERVER_SOCKET = `.s.PGSQL.${String(SOCKET_PORT)}`;
const SERVICE_SOCKET = 'service';
/** The address of a socket has room for 103 bytes on macOS and 107 on Linux. */
const SOCKET_PATH_BYTES_MAX = 103;
/** A folder this young may belong to a start that does not listen yet. */
const YOUNG_MS = 60_000;

/**
 * The private folder with PostgreSQL's socket and one of the service, on which nobody ever speaks: the kernel closes it
 * when the service dies, however it dies. So a data folder whose server is still there but whose service is gone is
 * told from one in use, without process ids, which are given to others again.
 */
export class ServerSockets {
  private constructor(
    readonly folder: string,
    private readonly service: Server,
  ) {}

  static async open(account: ServerAccount | undefined): Promise<ServerSockets> {
    const parent = parentFolder(account);
    await removeAbandoned(parent);
    const folder = await mkdtemp(join(parent, PREFIX));
    const service = createServer().listen(join(folder, SERVICE_SOCKET)).unref();
    await once(service, 'listening');
    if (account) await chown(folder, account.uid, account.gid);
    return new ServerSockets(folder, service);
  }

  /** From here on the service counts as gone. */
  release(): void {
    this.service.close();
  }

  async remove(): Promise<void> {
    this.release();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Whether the service that made this folder still lives. */
export function serviceLives(folder: string): Promise<boolean> {
  return isListening(join(folder, SERVICE_SOCKET));
}

function parentFolder(account: ServerAccount | undefined): string {
  const fitting = [tmpdir(), '/tmp'].find((parent) => {
    const path = join(parent, `${PREFIX}XXXXXX`, SERVER_SOCKET);
    return Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX && mayEnter(parent, account);
  });
  if (fitting !== undefined) return fitting;
  throw new StartError(
    `PostgreSQL's socket fits neither into ${tmpdir()} nor into /tmp: set TMPDIR to a short path.`,
  );
}

async function isListening(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch (fault) {
    // Any other fault (not permitted, a full queue) proves nothing, and then somebody may be there.
    return !['ECONNREFUSED', 'ENOENT'].includes((fault as NodeJS.ErrnoException).code ?? '');
  } finally {
    socket.destroy();
  }
}

/** What killed services left: nobody listens in it any more. */
async function removeAbandoned(parent: string): Promise<void> {
  const names = (await readdir(parent)).filter((name) => name.startsWith(PREFIX));
  for (const folder of names.map((name) => join(parent, name))) {
    if (await isAbandoned(folder)) await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

async function isAbandoned(folder: string): Promise<boolean> {
  // Another start may be removing the same folder.
  const { mtimeMs } = await stat(folder).catch(() => ({ mtimeMs: Infinity }));
  if (Date.now() - mtimeMs < YOUNG_MS) return false;
  return !(await serviceLives(folder)) && !(await isListening(join(folder, SERVER_SOCKET)));
}
