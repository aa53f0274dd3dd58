import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The tables, as TypeORM generates them from the entities. */
export class CreateTables1795400000000 implements MigrationInterface {
  name = 'CreateTables1795400000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE "installation" (
        "single" boolean NOT NULL DEFAULT true,
        "document_prefix" text NOT NULL,
        CONSTRAINT "installation_document_prefix_format" CHECK (document_prefix ~ '^[0-9a-f]{5}$'),
        CONSTRAINT "installation_single" CHECK (single),
        CONSTRAINT "PK_54da45b2aeffa5185dd2a90ae44" PRIMARY KEY ("single")
      )
    `);
    await queryRunner.query(`
      CREATE TABLE "id_counter" (
        "single" boolean NOT NULL DEFAULT true,
        "last_number" bigint NOT NULL,
        CONSTRAINT "id_counter_range" CHECK (last_number BETWEEN 0 AND 99999999999),
        CONSTRAINT "id_counter_single" CHECK (single),
        CONSTRAINT "PK_4cb130d39413b660983dc2030a4" PRIMARY KEY ("single")
      )
    `);
    await queryRunner.query(`
      CREATE TABLE "task" (
        "task_id" bigint NOT NULL,
        "name" text NOT NULL,
        "task_type" smallint,
        "image_count" integer NOT NULL DEFAULT '0',
        "coco_info" json,
        "coco_licenses" json,
        "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
        CONSTRAINT "task_image_count_not_negative" CHECK (image_count >= 0),
        CONSTRAINT "task_type_known" CHECK (task_type IN (1, 2, 3)),
        CONSTRAINT "task_id_19_digits" CHECK (task_id >= 1000000000000000000),
        CONSTRAINT "task_name_length" CHECK (char_length(name) BETWEEN 1 AND 200),
        CONSTRAINT "PK_721f914bb100703f201a77dd58f" PRIMARY KEY ("task_id")
      )
    `);
    await queryRunner.query(`
      CREATE TABLE "label_class" (
        "task_id" bigint NOT NULL,
        "id" integer GENERATED ALWAYS AS IDENTITY NOT NULL,
        "name" text NOT NULL,
        "color" text NOT NULL,
        "order_id" integer NOT NULL,
        "copied_from_id" integer,
        "extra" json,
        CONSTRAINT "label_class_order" UNIQUE ("task_id", "order_id"),
        CONSTRAINT "label_class_order_positive" CHECK (order_id > 0),
        CONSTRAINT "label_class_color_format" CHECK (color ~ '^#[0-9a-f]{6}$'),
        CONSTRAINT "label_class_name_length" CHECK (char_length(name) BETWEEN 1 AND 200),
        CONSTRAINT "PK_9bcb8df6e029953c10841020e12" PRIMARY KEY ("task_id", "id")
      )
    `);
    await queryRunner.query(`
      CREATE TABLE "image" (
        "task_id" bigint NOT NULL,
        "id" bigint NOT NULL,
        "set_type" smallint NOT NULL,
        "name" text NOT NULL,
        "width" integer NOT NULL,
        "height" integer NOT NULL,
        "state" text,
        "order_id" integer NOT NULL,
        "mongo_id" text COLLATE "C",
        "copied_from_id" bigint,
        "extra" json,
        CONSTRAINT "image_order" UNIQUE ("task_id", "order_id"),
        CONSTRAINT "image_mongo_id_length" CHECK (char_length(mongo_id) = 24),
        CONSTRAINT "image_order_positive" CHECK (order_id > 0),
        CONSTRAINT "image_state_known" CHECK (state IN ('已标注', '已训练', '已测试')),
        CONSTRAINT "image_size_positive" CHECK (width > 0 AND height > 0),
        CONSTRAINT "image_name_length" CHECK (char_length(name) BETWEEN 1 AND 1024),
        CONSTRAINT "image_set_type_known" CHECK (set_type IN (0, 1, 2)),
        CONSTRAINT "PK_e4e9bcab06423b7d7f21faa3177" PRIMARY KEY ("task_id", "id")
      )
    `);
    await queryRunner.query(`
      CREATE TABLE "roi_image" (
        "task_id" bigint NOT NULL,
        "id" bigint NOT NULL,
        "image_id" bigint NOT NULL,
        "x" integer NOT NULL,
        "y" integer NOT NULL,
        "width" integer NOT NULL,
        "height" integer NOT NULL,
        "copied_from_id" bigint,
        CONSTRAINT "roi_image_one_per_image" UNIQUE ("task_id", "image_id"),
        CONSTRAINT "roi_image_box_positive" CHECK (x >= 0 AND y >= 0 AND width > 0 AND height > 0),
        CONSTRAINT "PK_51dccbc276052d818753231880d" PRIMARY KEY ("task_id", "id")
      )
    `);
    await queryRunner.query(`
      CREATE TABLE "task_duplication" (
        "task_id" bigint NOT NULL,
        "attempt_id" uuid NOT NULL,
        "source_task_id" bigint NOT NULL,
        "state" text NOT NULL,
        "started_at" TIMESTAMP WITH TIME ZONE NOT NULL,
        "finished_at" TIMESTAMP WITH TIME ZONE,
        "image_count" integer NOT NULL,
        "roi_count" integer NOT NULL,
        "label_class_count" integer NOT NULL,
        "document_count" integer NOT NULL,
        CONSTRAINT "task_duplication_finished" CHECK ((state = 'running') = (finished_at IS NULL)),
        CONSTRAINT "task_duplication_two_tasks" CHECK (task_id <> source_task_id),
        CONSTRAINT "task_duplication_state_known" CHECK (state IN ('running', 'done', 'failed')),
        CONSTRAINT "PK_db22b0e57937c27cd6e3e715de3" PRIMARY KEY ("task_id")
      )
    `);
    await queryRunner.query(`
      CREATE TABLE "labeled_image" (
        "task_id" bigint NOT NULL,
        "id" text COLLATE "C" NOT NULL,
        "img_id" bigint NOT NULL,
        "img_roi_id" bigint,
        "lab_class_ids" integer array NOT NULL,
        "annotations" json NOT NULL,
        CONSTRAINT "labeled_image_classes_known" CHECK (array_position(lab_class_ids, NULL) IS NULL),
        CONSTRAINT "PK_00d34fe3bc1804398d22bf3d12c" PRIMARY KEY ("task_id", "id")
      )
    `);
    await queryRunner.query(`CREATE INDEX "task_newest_first" ON "task" ("created_at", "task_id")`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE "labeled_image"`);
    await queryRunner.query(`DROP TABLE "task_duplication"`);
    await queryRunner.query(`DROP TABLE "roi_image"`);
    await queryRunner.query(`DROP TABLE "image"`);
    await queryRunner.query(`DROP TABLE "label_class"`);
    await queryRunner.query(`DROP TABLE "task"`);
    await queryRunner.query(`DROP TABLE "id_counter"`);
    await queryRunner.query(`DROP TABLE "installation"`);
  }
}
