import { chown, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ServerAccount } from './server-account';

/**
 * Builds a folder under another name and renames it when it is whole, so that `target` is complete or absent whenever
 * the process dies. Two builders at once are fine: the first to finish wins.
 */
export async function buildAside(
  target: string,
  account: ServerAccount | undefined,
  build: (folder: string) => Promise<void>,
): Promise<void> {
  await removeAbandoned(target);
  const aside = await mkdtemp(`${target}.${String(process.pid)}-`);
  try {
    if (account) await chown(aside, account.uid, account.gid);
    await build(aside);
    await rename(aside, target);
  } catch (fault) {
    await rm(aside, { recursive: true, force: true });
    if (!isTaken(fault)) throw fault;
  }
}

/** rename() onto a folder that is not empty: somebody else has built it meanwhile. */
function isTaken(fault: unknown): boolean {
  const code = (fault as NodeJS.ErrnoException).code;
  return code === 'ENOTEMPTY' || code === 'EEXIST';
}

/** What builders that were killed left behind; their process id is in the name. */
async function removeAbandoned(target: string): Promise<void> {
  const prefix = `${basename(target)}.`;
  for (const name of await readdir(dirname(target))) {
    const pid = name.startsWith(prefix) ? parseInt(name.slice(prefix.length), 10) : NaN;
    if (Number.isNaN(pid) || isRunning(pid)) continue;
    // An initdb that outlived its service may still be writing there; then the next start removes it.
    await rm(join(dirname(target), name), { recursive: true, force: true }).catch(() => undefined);
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (fault) {
    return (fault as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
