import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * ROIs are compared with a range of images, and never each with each. Where most rows of `image` were deleted, the planner
 * expects as few in the same pages for as long as nobody has analyzed the table, in a transaction that has just filled it
 * too: an import of 520,000 images did not end.
 */
export class CheckRoisByRange1795400000004 implements MigrationInterface {
  name = 'CheckRoisByRange1795400000004';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE OR REPLACE FUNCTION check_roi_inside_image() RETURNS trigger LANGUAGE plpgsql
      SET enable_nestloop = off
      AS $$
      DECLARE
        parent bigint;
        first_image bigint;
        last_image bigint;
        outside bigint;
      BEGIN
        FOR parent, first_image, last_image IN
          EXECUTE 'SELECT task_id, min(image_id), max(image_id) FROM inserted GROUP BY task_id'
        LOOP
          PERFORM FROM task WHERE task_id = parent FOR KEY SHARE;
          EXECUTE '
            SELECT roi.id
            FROM inserted AS roi
            LEFT JOIN image
              ON image.task_id = $1 AND image.id = roi.image_id AND image.id BETWEEN $2 AND $3
            WHERE roi.task_id = $1
              AND (image.id IS NULL
                OR roi.x::bigint + roi.width > image.width
                OR roi.y::bigint + roi.height > image.height)
            LIMIT 1' INTO outside USING parent, first_image, last_image;
          IF outside IS NOT NULL THEN
            RAISE foreign_key_violation USING MESSAGE = format('roi_image: roi %s is in no image of its task', outside);
          END IF;
        END LOOP;
        RETURN NULL;
      END $$
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE OR REPLACE FUNCTION check_roi_inside_image() RETURNS trigger LANGUAGE plpgsql AS $$
      DECLARE
        parent bigint;
        outside bigint;
      BEGIN
        FOR parent IN EXECUTE 'SELECT DISTINCT task_id FROM inserted' LOOP
          PERFORM FROM task WHERE task_id = parent FOR KEY SHARE;
          EXECUTE '
            SELECT roi.id
            FROM inserted AS roi
            LEFT JOIN image ON image.task_id = $1 AND image.id = roi.image_id
            WHERE roi.task_id = $1
              AND (image.id IS NULL
                OR roi.x::bigint + roi.width > image.width
                OR roi.y::bigint + roi.height > image.height)
            LIMIT 1' INTO outside USING parent;
          IF outside IS NOT NULL THEN
            RAISE foreign_key_violation USING MESSAGE = format('roi_image: roi %s is in no image of its task', outside);
          END IF;
        END LOOP;
        RETURN NULL;
      END $$
    `);
  }
}
