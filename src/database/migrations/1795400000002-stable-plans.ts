import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * No statistics of `task_id` in the tables that grow by a whole task at a time. With them the planner believes that a task
 * it has not seen, because it was filled since the last ANALYZE or in this very transaction, has one row, and compares
 * every image with every ROI: 100,000 images took minutes. Without them it takes every task for a 200th of the table.
 */
export class StablePlans1795400000002 implements MigrationInterface {
  name = 'StablePlans1795400000002';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const table of TABLES) await queryRunner.query(setStatistics(table, 0));
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const table of TABLES) await queryRunner.query(setStatistics(table, -1));
  }
}

const TABLES = ['label_class', 'image', 'roi_image', 'labeled_image'];

/** -1 is the default. */
function setStatistics(table: string, target: number): string {
  return `ALTER TABLE ${table} ALTER COLUMN task_id SET STATISTICS ${String(target)}`;
}
