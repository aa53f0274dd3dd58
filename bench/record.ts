import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { appendHistory, readHistory, toRecorded } from './history';
import { writePage } from './page';
import type { Measured } from './run';

const git = (...args: string[]): Promise<string> =>
  promisify(execFile)('git', args).then(({ stdout }) => stdout.trim());

/** Appends the run to the history and brings docs/performance.md up to date. */
export async function record({ figures, machine }: Measured): Promise<void> {
  await appendHistory({
    date: new Date().toISOString(),
    commit: await git('rev-parse', '--short', 'HEAD'),
    // The benchmarks themselves and what they write don't make a difference to the service.
    isDirty: (await git('status', '--porcelain', '--', 'src', 'ormconfig.ts', 'package-lock.json')) !== '',
    machine,
    figures: figures.map(toRecorded),
  });
  await writePage(await readHistory());
}
