import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What two databases need: which documents may be unreachable, which documents an attempt may write, and where the
 * documents live.
 */
export class DocumentGarbage1795400000003 implements MigrationInterface {
  name = 'DocumentGarbage1795400000003';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE "document_garbage" (
        "id" bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
        "task_id" bigint NOT NULL,
        "first_id" text COLLATE "C" NOT NULL,
        "last_id" text COLLATE "C" NOT NULL,
        "attempt_id" uuid,
        "reason" text NOT NULL,
        "made_by" bigint NOT NULL,
        "made_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT clock_timestamp(),
        "failed_at" TIMESTAMP WITH TIME ZONE,
        "sweep_at" TIMESTAMP WITH TIME ZONE,
        CONSTRAINT "document_garbage_failed_write" CHECK (failed_at IS NULL OR reason IN ('copy', 'import', 'edit')),
        CONSTRAINT "document_garbage_range" CHECK (first_id <= last_id),
        CONSTRAINT "document_garbage_reason_known" CHECK (reason IN ('copy', 'import', 'edit', 'replaced', 'deleted')),
        CONSTRAINT "PK_9ea2cc2c9c2c2e2cb2e7a2b0f2a" PRIMARY KEY ("id")
      )
    `);
    await queryRunner.query(`CREATE INDEX "document_garbage_by_task" ON "document_garbage" ("task_id")`);
    await queryRunner.query(`
      ALTER TABLE "task_duplication"
        ADD "document_shift" bigint,
        ADD "first_document_id" text COLLATE "C",
        ADD "last_document_id" text COLLATE "C",
        ADD "edits_in_flight" text array NOT NULL DEFAULT '{}'
    `);
    await queryRunner.query(BACKFILL_RANGES);
    await queryRunner.query(`
      ALTER TABLE "installation"
        ADD "id" uuid,
        ADD "document_store" text,
        ADD CONSTRAINT "installation_document_store_known" CHECK (document_store IN ('postgresql', 'mongodb'))
    `);
    await queryRunner.query(`UPDATE installation SET id = gen_random_uuid(), document_store = 'postgresql'`);
    await queryRunner.query(`
      ALTER TABLE "installation" ALTER COLUMN "id" SET NOT NULL, ALTER COLUMN "document_store" SET NOT NULL
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE "installation" DROP COLUMN "id", DROP COLUMN "document_store"`);
    await queryRunner.query(`
      ALTER TABLE "task_duplication"
        DROP COLUMN "document_shift",
        DROP COLUMN "first_document_id",
        DROP COLUMN "last_document_id",
        DROP COLUMN "edits_in_flight"
    `);
    await queryRunner.query(`DROP TABLE "document_garbage"`);
  }
}

/** Copies that were made before ranges were recorded: nothing could be edited then, so the pointers are still their own. */
const BACKFILL_RANGES = `
  UPDATE task_duplication AS duplication
  SET document_shift = own.shift, first_document_id = own.first_id, last_document_id = own.last_id
  FROM (
    SELECT
      task_id, min(mongo_id) AS first_id, max(mongo_id) AS last_id,
      min(substr(mongo_id, 6)::bigint - id) AS shift
    FROM image
    WHERE mongo_id IS NOT NULL
      AND copied_from_id IS NOT NULL
    GROUP BY task_id
  ) AS own
  WHERE own.task_id = duplication.task_id`;
