import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { FETCHED_MONGOD, fetchMongod, lastWords } from './fetch-mongod';

/** There is none on this machine, and none could be fetched: the suites that need one say so and are not run. */
export class MongodMissing extends Error {}

const run = promisify(execFile);
const OLDEST_MAJOR = 6;

/**
 * A mongod that runs here: MONGOD_BINARY, else the one on PATH, else one that is fetched once.
 * @param mayFetch whether to look further than this machine
 * @throws MongodMissing where there is none
 */
export async function findMongod(mayFetch: boolean): Promise<string> {
  const chosen = process.env['MONGOD_BINARY'];
  // Whoever names one wants that one: what is wrong with it is an error and no reason to look further.
  if (chosen) return runnable(chosen);
  const faults: string[] = [];
  const local = ['mongod', FETCHED_MONGOD].map((binary) => () => binary);
  for (const source of [...local, ...(mayFetch ? [fetchMongod] : [])]) {
    try {
      return await runnable(await source());
    } catch (fault) {
      faults.push((fault as Error).message);
    }
  }
  throw new MongodMissing(faults.join('; '));
}

async function runnable(binary: string): Promise<string> {
  const { stdout } = await run(binary, ['--version']).catch((fault: unknown) => {
    throw new Error(`${binary} does not run: ${lastWords(fault)}`, { cause: fault });
  });
  const [, version = 'of no known version', major] = /^db version v((\d+)\.\S+)/m.exec(stdout) ?? [];
  if (!(Number(major) >= OLDEST_MAJOR))
    throw new Error(`${binary} is ${version}: it takes ${OLDEST_MAJOR}.0 or newer`);
  return binary;
}
