import type { DataSource, EntityManager } from 'typeorm';
import type { CopyPlan, CopySlice } from '../../src/database/copy-plan';
import { inTransaction } from '../../src/database/transaction';
import { ImageRepository } from '../../src/images/image.repository';
import { RoiImageRepository } from '../../src/images/roi-image.repository';
import { LabelClassRepository, type CopiedLabelClass } from '../../src/label-classes/label-class.repository';
import type { LabeledImageRepository } from '../../src/labeled-images/labeled-image.repository';
import { CopyPlanner } from '../../src/tasks/duplication/copy-planner';
import { copySlices } from '../../src/tasks/duplication/copy-slices';
import { TaskRepository } from '../../src/tasks/task.repository';

export interface CopiedTask {
  /** Documents. */
  readonly copied: number;
  readonly plan: CopyPlan;
  readonly labelClasses: readonly CopiedLabelClass[];
}

const [tasks, images, rois, labels] = [
  new TaskRepository(),
  new ImageRepository(),
  new RoiImageRepository(),
  new LabelClassRepository(),
];

/** The protocol of a duplication without its lock and its record; places are copied as they are, with their gaps. */
export async function copyTask(
  dataSource: DataSource,
  repository: LabeledImageRepository,
  source: string,
  target: string,
  known = (classes: CopiedLabelClass[]): readonly CopiedLabelClass[] => classes,
): Promise<CopiedTask> {
  const connection = dataSource.createQueryRunner();
  try {
    const plan = await new CopyPlanner(tasks, images).plan(connection, source, target);
    return await inTransaction(connection, 'REPEATABLE READ', async (manager) => {
      await tasks.copy(manager, plan);
      const labelClasses = known(await labels.copy(manager, plan));
      const copied = await repository.copy(manager, plan, labelClasses, rowsOf(manager, plan));
      return { copied, plan, labelClasses };
    });
  } finally {
    await connection.release();
  }
}

async function* rowsOf(manager: EntityManager, plan: CopyPlan): AsyncGenerator<CopySlice> {
  for await (const slice of copySlices(manager, plan)) {
    await images.copy(manager, plan, slice);
    await rois.copy(manager, plan, slice);
    yield slice;
  }
}
