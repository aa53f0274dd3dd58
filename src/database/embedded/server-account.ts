import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { StartError } from '../../config/start-error';

/** The account that the server runs as; may be spread into the options of a spawn. */
export interface ServerAccount {
  readonly uid: number;
  readonly gid: number;
}

/**
 * PostgreSQL refuses to run as root, so root runs it as whoever owns the data already, else as `postgres` or `nobody`,
 * which are there without creating a user.
 * @returns undefined for a plain user, who runs it as himself
 */
export function serverAccount(existingCluster: string | undefined): ServerAccount | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const owner = existingCluster === undefined ? undefined : statSync(existingCluster);
  if (owner !== undefined && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const account = accountNamed('postgres') ?? accountNamed('nobody');
  if (account !== undefined) return account;
  throw new StartError(
    'PostgreSQL refuses to run as root and there is neither a user postgres nor nobody to run it as: start as a plain user, or set DATABASE_URL.',
  );
}

/** Whether the server may enter the folder. Asked of the system as that account: every parent and ACL counts. */
export function mayEnter(folder: string, account: ServerAccount | undefined): boolean {
  const asked = spawnSync('/bin/sh', ['-c', 'test -x "$1"', 'sh', folder], { ...account, cwd: '/' });
  if (asked.error === undefined) return asked.status === 0;
  // In a container without the capability even root cannot become somebody else.
  throw new StartError(
    `PostgreSQL cannot be run as another user than root here (${asked.error.message}): start as a plain user, or set DATABASE_URL.`,
  );
}

function accountNamed(name: string): ServerAccount | undefined {
  const [uid, gid] = ['-u', '-g'].map((flag) => spawnSync('id', [flag, name], { encoding: 'utf8' }).stdout);
  // `id` prints nothing on stdout where there is no such user.
  return uid && gid ? { uid: Number(uid), gid: Number(gid) } : undefined;
}
