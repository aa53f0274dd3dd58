import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { dataSet } from './data-set';

/** A generated COCO file on disk: to make it while it is uploaded would be measured as well. */
export class CocoFile {
  private constructor(
    readonly path: string,
    readonly bytes: number,
    private readonly folder: string,
  ) {}

  static async write(images: number): Promise<CocoFile> {
    const folder = await mkdtemp(path.join(tmpdir(), 'training-tasks-coco-'));
    const file = path.join(folder, `${images}.json`);
    await writeFile(file, dataSet(images).text());
    const { size } = await stat(file);
    return new CocoFile(file, size, folder);
  }

  read(): Readable {
    return createReadStream(this.path);
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true });
  }
}
