import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { ByteProgress } from './progress';

/** The file appears under its name when it is whole. */
export async function saveWhole(body: NodeJS.ReadableStream, output: string, what: string): Promise<void> {
  const part = `${output}.part`;
  const progress = new ByteProgress(what, undefined);
  try {
    await pipeline(body, progress.through(), createWriteStream(part));
    await rename(part, output);
  } catch (fault) {
    await rm(part, { force: true });
    throw fault;
  } finally {
    progress.stop();
  }
}
