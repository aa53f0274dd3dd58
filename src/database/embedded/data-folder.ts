import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Logger } from '@nestjs/common';
import { StartError } from '../../config/start-error';
import { buildAside } from './build-aside';
import { SERVER_ENVIRONMENT, type PostgresBinaries } from './postgres-binaries';
import { mayEnter, serverAccount, type ServerAccount } from './server-account';

const ROOT_FOLDER = '/var/lib/training-tasks';

export interface DataFolder {
  /** Ours: holds the cluster and, where the packaged binaries cannot be used, a copy of them. */
  readonly path: string;
  /** PostgreSQL's own data directory. */
  readonly cluster: string;
  readonly account: ServerAccount | undefined;
}

/**
 * Settles where the data are and who serves them. Started as root in a folder that the server's account cannot enter
 * (a project under /root), the data go to a folder of their own under /var/lib. Data that are already there decide,
 * so that a changed permission never shows as an empty database.
 * @throws StartError
 */
export function placeData(dataDir: string): DataFolder {
  const wanted = resolve(dataDir);
  const candidates = process.getuid?.() === 0 ? [wanted, join(ROOT_FOLDER, nameOf(wanted))] : [wanted];
  const present = candidates.find((folder) => existsSync(clusterIn(folder)));
  const account = serverAccount(present && clusterIn(present));
  const path = present ?? firstOpen(candidates, account);
  if (path === undefined || !mayEnter(path, account)) {
    throw new StartError(
      `The user that PostgreSQL runs as cannot enter ${path ?? wanted}: open that folder to it, point DATA_DIR elsewhere, or set DATABASE_URL.`,
    );
  }
  if (path !== wanted) {
    new Logger('PostgreSQL').warn(
      `The user that PostgreSQL runs as cannot enter ${wanted}: the data are in ${path}.`,
    );
  }
  return { path, cluster: clusterIn(path), account };
}

/**
 * Makes the cluster where there is none. A half-made one is never seen: initdb works aside and the result is renamed.
 * @throws StartError where the data are not ours or of another major version
 */
export async function ensureCluster(
  { cluster, account }: DataFolder,
  binaries: PostgresBinaries,
  durable: boolean,
): Promise<void> {
  if ((await majorOf(cluster)) === undefined) {
    await buildAside(cluster, account, (folder) => initialise(folder, binaries, account, durable));
  }
  const major = await majorOf(cluster);
  if (major === undefined)
    throw new StartError(`${cluster} holds something that is no PostgreSQL data: move it away.`);
  if (major !== binaries.major) {
    throw new StartError(
      `The data in ${cluster} were made by PostgreSQL ${major} and this is PostgreSQL ${binaries.major}: move them away, or serve them with PostgreSQL ${major} and set DATABASE_URL.`,
    );
  }
}

function clusterIn(folder: string): string {
  return join(folder, 'postgresql');
}

/** Of one wanted folder always the same, of two never: two projects must not share their data. */
function nameOf(wanted: string): string {
  return `${basename(dirname(wanted))}-${createHash('sha256').update(wanted).digest('hex').slice(0, 12)}`;
}

function firstOpen(folders: string[], account: ServerAccount | undefined): string | undefined {
  return folders.find((folder) => {
    makeFolder(folder, account);
    return mayEnter(folder, account) || (handOver(folder, account) && mayEnter(folder, account));
  });
}

function makeFolder(folder: string, account: ServerAccount | undefined): void {
  // Root's umask may be 077; then what root makes for another account would be closed to it.
  const umask = account && process.umask(0o022);
  try {
    mkdirSync(folder, { recursive: true });
  } finally {
    if (umask !== undefined) process.umask(umask);
  }
}

/** A closed folder that holds nothing yet, such as a temporary one that root made, can be the server's own. */
function handOver(folder: string, account: ServerAccount | undefined): boolean {
  if (account === undefined || readdirSync(folder).length > 0) return false;
  chownSync(folder, account.uid, account.gid);
  return true;
}

async function majorOf(cluster: string): Promise<string | undefined> {
  try {
    return (await readFile(join(cluster, 'PG_VERSION'), 'utf8')).trim();
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fault;
  }
}

async function initialise(
  folder: string,
  binaries: PostgresBinaries,
  account: ServerAccount | undefined,
  durable: boolean,
): Promise<void> {
  const encoding = ['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'];
  // Trust is enough: the server listens on nothing but a socket in a folder of its own user.
  const args = ['-D', folder, '--username=postgres', '--auth=trust', ...encoding];
  if (!durable) args.push('--no-sync');
  try {
    await promisify(execFile)(binaries.initdb, args, { ...account, env: SERVER_ENVIRONMENT, cwd: '/' });
  } catch (fault) {
    const { stderr, message } = fault as Error & { stderr?: string };
    const reason = stderr?.split('\n').find((line) => /FATAL|error/.test(line)) ?? message;
    throw new StartError(`A new PostgreSQL database cannot be made in ${folder}: ${reason}`, {
      cause: fault,
    });
  }
}
