import { pipeline } from 'node:stream/promises';
import { saveWhole } from './save-whole';
import { ServiceClient } from './service-client';

interface Options {
  readonly output?: string;
  readonly url: string;
}

export async function exportCoco(task: string, { output, url }: Options): Promise<void> {
  const { body } = await new ServiceClient(url).send({ method: 'GET', path: `/training/tasks/${task}/coco` });
  if (output === undefined) {
    await pipeline(body, process.stdout, { end: false }).catch(unlessReaderLeft);
    return;
  }
  await saveWhole(body, output, 'downloading');
  console.log(`Task ${task} is in ${output}.`);
}

/** As in `export-coco … | head`. */
function unlessReaderLeft(fault: unknown): void {
  if ((fault as NodeJS.ErrnoException).code !== 'EPIPE') throw fault;
}
