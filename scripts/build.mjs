// Compiles the sources into dist, and only when they are not what dist was made from.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const ROOT = path.resolve(import.meta.dirname, '..');
const NEST = path.join(ROOT, 'node_modules/@nestjs/cli/bin/nest.js');
/** The hash of the sources that dist was made from; in dist, so that it goes when dist goes. */
const STAMP = path.join(ROOT, 'dist/.sources');
const LOCK = path.join(ROOT, 'node_modules/.build.lock');
const LOCK_POLL_MS = 100;
const CONFIGURATION = [
  'ormconfig.ts',
  'tsconfig.json',
  'tsconfig.build.json',
  'nest-cli.json',
  'package-lock.json',
];

/** Makes dist current; where the sources do not compile, their errors are printed and the process ends with 1. */
export async function build() {
  if (isCurrent()) return;
  if (!existsSync(NEST))
    fail('The build needs all dependencies, those for development too: run npm ci first.');
  // Two builds at once (npm start beside npm test) would empty dist under each other.
  await lock();
  const compiled = isCurrent() || compile();
  rmSync(LOCK, { force: true });
  if (!compiled) fail('The sources do not compile.');
}

function isCurrent() {
  return existsSync(STAMP) && readFileSync(STAMP, 'utf8') === sourcesHash();
}

function compile() {
  // Standard output belongs to what runs after the build: an export may be on its way into a file.
  console.error('Building…');
  const hash = sourcesHash();
  rmSync(STAMP, { force: true });
  const { status } = spawnSync(process.execPath, [NEST, 'build'], { cwd: ROOT, stdio: ['ignore', 2, 2] });
  if (status === 0) writeFileSync(STAMP, hash);
  return status === 0;
}

function sourcesHash() {
  const hash = createHash('sha256');
  for (const file of [...CONFIGURATION, ...sources()]) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(path.join(ROOT, file)))
      .update('\0');
  }
  return hash.digest('hex');
}

function sources() {
  return readdirSync(path.join(ROOT, 'src'), { recursive: true })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
    .map((file) => path.join('src', file))
    .sort();
}

async function lock() {
  for (let waiting = false; ; await sleep(LOCK_POLL_MS)) {
    try {
      // A link, because it comes into being together with what it says: who has the lock.
      return symlinkSync(String(process.pid), LOCK);
    } catch (fault) {
      if (fault.code !== 'EEXIST') throw fault;
    }
    const holder = lockHolder();
    if (holder === undefined) continue;
    // A build that was killed leaves its lock behind; in a container the next one may well have its number.
    if (holder === process.pid || !isRunning(holder)) rmSync(LOCK, { force: true });
    else if (!waiting) console.error(`Waiting for the build of process ${holder}…`);
    waiting = true;
  }
}

/** undefined where the lock was let go this moment */
function lockHolder() {
  try {
    return Number(readlinkSync(LOCK));
  } catch (fault) {
    if (fault.code === 'ENOENT') return undefined;
    throw fault;
  }
}

function isRunning(pid) {
  try {
    return process.kill(pid, 0);
  } catch (fault) {
    return fault.code === 'EPERM';
  }
}

function fail(sentence) {
  console.error(sentence);
  process.exit(1);
}

if (realpathSync(process.argv[1]) === import.meta.filename) await build();
