import { appendHistory, readHistory, toRecorded } from './history';
import { writePage } from './page';
import type { Measured } from './run';
import type { Version } from './version';

/** Appends the run to the history and brings docs/performance.md up to date. */
export async function record(version: Version, { figures, machine }: Measured): Promise<void> {
  await appendHistory({
    date: new Date().toISOString(),
    ...version,
    machine,
    figures: figures.map(toRecorded),
  });
  await writePage(await readHistory());
}
