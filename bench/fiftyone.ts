import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { CocoFile } from './coco-file';
import { ROOT } from './root';

const run = promisify(execFile);
const SCRIPT = path.join(ROOT, 'bench/peer/fiftyone_clone.py');
/** As many as TACO has; the script takes them over and over. */
const IMAGES = 1_500;

/** What bench/peer/fiftyone_clone.py prints. */
export interface Clones {
  readonly version: string;
  readonly samples: number;
  /** One of each clone. */
  readonly seconds: readonly number[];
  readonly bytesPerSample: number;
  readonly peakRssBytes: number | null;
}

/**
 * Clones a data set of so many samples with FiftyOne, on the same MongoDB and with the same annotations as ours.
 * @param python of a virtual environment with FiftyOne
 */
export async function cloneByFiftyOne(
  python: string,
  mongodbUri: string,
  samples: number,
  runs: number,
): Promise<Clones> {
  const file = await CocoFile.write(Math.min(samples, IMAGES));
  // FiftyOne writes into the home folder.
  const home = await mkdtemp(path.join(tmpdir(), 'training-tasks-fiftyone-'));
  try {
    const { stdout } = await run(
      python,
      [SCRIPT, '--coco', file.path, '--samples', String(samples), '--runs', String(runs)],
      { env: environment(home, mongodbUri) },
    );
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Clones;
  } finally {
    await rm(home, { recursive: true, force: true });
    await file.remove();
  }
}

/** With a database given, FiftyOne starts none of its own. */
function environment(home: string, mongodbUri: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    HOME: home,
    FIFTYONE_DATABASE_URI: mongodbUri,
    FIFTYONE_DATABASE_VALIDATION: 'false',
    FIFTYONE_DO_NOT_TRACK: 'true',
    FIFTYONE_SHOW_PROGRESS_BARS: 'false',
  };
}
