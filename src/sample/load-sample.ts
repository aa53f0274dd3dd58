import { Readable } from 'node:stream';
import type { INestApplicationContext } from '@nestjs/common';
import { CocoImportService } from '../coco/coco-import.service';
import { TasksService } from '../tasks/tasks.service';
import { SAMPLE_TASK_ID, sampleDataSet } from './sample-data-set';

/** Puts the sample task into a database without any task. */
export async function loadSample(app: INestApplicationContext): Promise<void> {
  const { task_list: tasks } = await app.get(TasksService).list({ limit: 1 });
  if (tasks.length > 0) return;
  const file = Buffer.from(JSON.stringify(sampleDataSet()));
  await app
    .get(CocoImportService)
    .importFile(
      SAMPLE_TASK_ID,
      { task_type: 1, task_name: '示例任务' },
      { read: () => Readable.from([file]) },
    );
}
