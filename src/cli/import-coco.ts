import { open, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Imported } from '../coco/dto/imported.dto';
import { StartError } from '../config/start-error';
import type { TaskItem } from '../tasks/dto/task-item.dto';
import { ByteProgress } from './progress';
import { ServiceClient } from './service-client';

const TYPE_DEFAULT = '1';

interface Options {
  readonly task?: string;
  readonly type?: string;
  readonly name?: string;
  readonly url: string;
}

export async function importCoco(
  file: string,
  { task, type, name = basename(file), url }: Options,
): Promise<void> {
  const { handle, bytes } = await openFile(file);
  const service = new ServiceClient(url);
  const taskId = task ?? (await createTask(service, name, Number(type ?? TYPE_DEFAULT)));
  // Without a type the file goes into a task that is there, whatever its type.
  const query = new URLSearchParams({ ...(type !== undefined && { task_type: type }), task_name: name });
  const progress = new ByteProgress('uploading', bytes);
  try {
    const imported = await service.json<Imported>({
      method: 'PUT',
      path: `/training/tasks/${taskId}/coco?${query.toString()}`,
      upload: handle.createReadStream().pipe(progress.through()),
      uploadBytes: bytes,
    });
    progress.stop();
    console.log(describe(taskId, imported));
  } catch (fault) {
    progress.stop();
    if (task === undefined)
      console.error(`Task ${taskId} was made for the import and is empty; use it by --task ${taskId}.`);
    throw fault;
  }
}

/** `bytes` is undefined where nobody knows how many will come: of a pipe. */
async function openFile(file: string): Promise<{ handle: FileHandle; bytes: number | undefined }> {
  try {
    const handle = await open(file);
    const stats = await handle.stat();
    if (stats.isDirectory()) throw new StartError(`${file} is a folder: name a COCO file.`);
    return { handle, bytes: stats.isFile() ? stats.size : undefined };
  } catch (fault) {
    if (fault instanceof StartError) throw fault;
    throw new StartError(
      `${file} cannot be read (${(fault as NodeJS.ErrnoException).code ?? String(fault)}).`,
    );
  }
}

async function createTask(service: ServiceClient, task_name: string, task_type: number): Promise<string> {
  const { task_id } = await service.json<TaskItem>({
    method: 'POST',
    path: '/training/tasks',
    json: { task_name, task_type },
  });
  return task_id;
}

function describe(taskId: string, { images, annotations, label_classes, warnings }: Imported): string {
  const lines = [
    `Task ${taskId}: ${String(images)} images, ${String(annotations)} annotations, ${String(label_classes)} label classes.`,
    ...warnings.map(
      ({ code, count, examples }) => `  warning ${code}: ${String(count)} (${examples.join(', ')})`,
    ),
  ];
  return lines.join('\n');
}
