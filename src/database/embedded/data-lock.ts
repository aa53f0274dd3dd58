import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { StartError } from '../../config/start-error';
import { serviceLives } from './server-sockets';

/** PostgreSQL's own lock on a data directory. https://www.postgresql.org/docs/18/storage-file-layout.html */
interface DataLock {
  readonly pid: number;
  /** Empty until the server listens. */
  readonly socketFolder: string;
  /** starting, ready or stopping. */
  readonly status: string;
}

/** The folder with the sockets is of one start only; the process id is not, in a container it is often the same again. */
export async function isReady(cluster: string, socketFolder: string): Promise<boolean> {
  const lock = await readLock(cluster);
  return lock?.status === 'ready' && lock.socketFolder === socketFolder;
}

/**
 * Asked after PostgreSQL refused to start because of the lock: is it worthwhile to try again?
 * @returns the process that should be about to go, because its service was killed; undefined where none has the lock
 * @throws StartError where another service uses the data
 */
export async function examineLock(cluster: string): Promise<number | undefined> {
  const lock = await readLock(cluster);
  if (lock === undefined) return undefined;
  if (lock.socketFolder !== '' && (await serviceLives(lock.socketFolder))) {
    throw new StartError(
      `Another service is using the data in ${cluster} (PostgreSQL process ${String(lock.pid)}): stop it, or set DATA_DIR to another folder.`,
    );
  }
  if (await isPostgres(lock.pid)) return lock.pid;
  disown(cluster, lock.pid);
  return undefined;
}

async function readLock(cluster: string): Promise<DataLock | undefined> {
  const text = await readFile(lockFile(cluster), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const [pid, , , , socketFolder = '', , , status = ''] = text.split('\n');
  return { pid: Number(pid), socketFolder, status: status.trim() };
}

function lockFile(cluster: string): string {
  return join(cluster, 'postmaster.pid');
}

/** By the command line of the server itself; its helper processes show other ones. */
async function isPostgres(pid: number): Promise<boolean> {
  const command = await commandLine(pid).catch(() => '');
  return /\/postgres[ \0]-D[ \0]/.test(command);
}

async function commandLine(pid: number): Promise<string> {
  // Slim images of Linux have no ps, and macOS has no /proc.
  if (process.platform === 'linux') return readFile(`/proc/${String(pid)}/cmdline`, 'utf8');
  return (await promisify(execFile)('ps', ['-ww', '-o', 'args=', '-p', String(pid)])).stdout;
}

/**
 * After a power cut or in a new container the process id in the lock may be that of something else, and PostgreSQL would
 * refuse for ever. It takes no notice of its parent's id, which is ours: written there, the lock counts as left behind,
 * and PostgreSQL still checks the shared memory that the rest of the file names, as it would not if we removed the file.
 */
function disown(cluster: string, pid: number): void {
  // Read once more and written at once: in between another start might have put its own lock there.
  const text = readFileSync(lockFile(cluster), 'utf8');
  if (!text.startsWith(`${String(pid)}\n`)) return;
  writeFileSync(lockFile(cluster), text.replace(/^\d+/, String(process.pid)));
}
