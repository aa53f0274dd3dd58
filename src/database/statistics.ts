import type { EntityManager } from 'typeorm';

/**
 * After a transaction that has added a task of so many images: makes new statistics where it is larger than all that they
 * know. Where tasks were deleted the planner goes on expecting few rows in the pages that are filled again, and until
 * autovacuum has come by, a minute later, it would compare each image with each.
 */
export async function refreshStatistics(manager: EntityManager, images: number): Promise<void> {
  const [row] = await manager.query<{ outdated: boolean }[]>(
    // -1: there are none, and the planner goes by the size of the table.
    `SELECT reltuples >= 0 AND reltuples < $1::int AS outdated FROM pg_class WHERE oid = 'image'::regclass`,
    [images],
  );
  if (row?.outdated) {
    await manager.query(
      'ANALYZE label_class, image (task_id, id, order_id), roi_image (task_id, id, image_id), labeled_image (task_id, id)',
    );
  }
}
