import type { INestApplicationContext } from '@nestjs/common';
import { TaskContentService } from '../tasks/content/task-content.service';
import { SAMPLE_TASK_ID } from './sample-data-set';

/** The first image of the sample task; undefined where that task is not there, or the database. */
export async function exampleImage(app: INestApplicationContext): Promise<string | undefined> {
  try {
    const { image_list: images } = await app.get(TaskContentService).imagePage(SAMPLE_TASK_ID, { limit: 1 });
    return images[0]?.img_id;
  } catch {
    // It is for the documentation, which is worth reading all the same.
    return undefined;
  }
}
