import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * References checked set-wise, by statement triggers over transition tables: a foreign key checked row by row costs as
 * much as the insert itself (docs/decisions/0003-schema.md). Both sides are guarded, so that what references exist
 * holds whoever writes: the inserting side locks its task row against deletion, the deleting side looks for what is left.
 *
 * The statements over transition tables are run by EXECUTE, because PL/pgSQL would keep the plan made for the first set:
 * one made for a million rows scans the whole table for the next twenty.
 */
export class CheckReferences1795400000001 implements MigrationInterface {
  name = 'CheckReferences1795400000001';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE FUNCTION check_task_exists() RETURNS trigger LANGUAGE plpgsql AS $$
      DECLARE
        parent bigint;
      BEGIN
        FOR parent IN EXECUTE 'SELECT DISTINCT task_id FROM inserted' LOOP
          PERFORM FROM task WHERE task_id = parent FOR KEY SHARE;
          IF NOT FOUND THEN
            RAISE foreign_key_violation USING MESSAGE = format('%s: task %s does not exist', TG_TABLE_NAME, parent);
          END IF;
        END LOOP;
        RETURN NULL;
      END $$
    `);
    await queryRunner.query(`
      CREATE FUNCTION check_roi_inside_image() RETURNS trigger LANGUAGE plpgsql AS $$
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
    await queryRunner.query(`
      CREATE FUNCTION check_task_left_nothing() RETURNS trigger LANGUAGE plpgsql AS $$
      DECLARE
        parent bigint;
      BEGIN
        FOR parent IN EXECUTE 'SELECT task_id FROM removed' LOOP
          IF EXISTS (SELECT FROM label_class WHERE task_id = parent)
            OR EXISTS (SELECT FROM image WHERE task_id = parent)
            OR EXISTS (SELECT FROM labeled_image WHERE task_id = parent)
          THEN
            RAISE foreign_key_violation USING MESSAGE = format('task: task %s still owns rows', parent);
          END IF;
        END LOOP;
        RETURN NULL;
      END $$
    `);
    await queryRunner.query(`
      CREATE FUNCTION check_image_left_no_roi() RETURNS trigger LANGUAGE plpgsql AS $$
      DECLARE
        parent bigint;
        left_over bigint;
      BEGIN
        FOR parent IN EXECUTE 'SELECT DISTINCT task_id FROM removed' LOOP
          PERFORM FROM task WHERE task_id = parent FOR UPDATE;
          EXECUTE '
            SELECT roi.id
            FROM removed AS image
            JOIN roi_image AS roi ON roi.task_id = $1 AND roi.image_id = image.id
            WHERE image.task_id = $1
            LIMIT 1' INTO left_over USING parent;
          IF left_over IS NOT NULL THEN
            RAISE foreign_key_violation USING MESSAGE = format('image: roi %s would lose its image', left_over);
          END IF;
        END LOOP;
        RETURN NULL;
      END $$
    `);
    await queryRunner.query(`
      CREATE FUNCTION refuse_new_identity() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE integrity_constraint_violation USING MESSAGE = format('%s: an id never changes', TG_TABLE_NAME);
      END $$
    `);
    for (const statement of TRIGGERS) await queryRunner.query(statement);
    await queryRunner.query(`
      INSERT INTO installation (document_prefix)
      VALUES (lpad(to_hex(floor(random() * 1048576)::int), 5, '0'))
    `);
    await queryRunner.query(`INSERT INTO id_counter (last_number) VALUES (0)`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DELETE FROM id_counter`);
    await queryRunner.query(`DELETE FROM installation`);
    for (const name of FUNCTIONS) await queryRunner.query(`DROP FUNCTION ${name}() CASCADE`);
  }
}

const FUNCTIONS = [
  'check_task_exists',
  'check_roi_inside_image',
  'check_task_left_nothing',
  'check_image_left_no_roi',
  'refuse_new_identity',
];

const TRIGGERS = [
  onInsert('label_class', 'check_task_exists'),
  onInsert('image', 'check_task_exists'),
  onInsert('labeled_image', 'check_task_exists'),
  onInsert('roi_image', 'check_roi_inside_image'),
  onDelete('task', 'check_task_left_nothing'),
  onDelete('image', 'check_image_left_no_roi'),
  onNewIdentity('task', 'task_id'),
  onNewIdentity('label_class', 'task_id, id'),
  onNewIdentity('image', 'task_id, id'),
  onNewIdentity('roi_image', 'task_id, id, image_id'),
];

function onInsert(table: string, check: string): string {
  return `CREATE TRIGGER ${check} AFTER INSERT ON ${table}
    REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION ${check}()`;
}

function onDelete(table: string, check: string): string {
  return `CREATE TRIGGER ${check} AFTER DELETE ON ${table}
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION ${check}()`;
}

function onNewIdentity(table: string, columns: string): string {
  return `CREATE TRIGGER refuse_new_identity BEFORE UPDATE OF ${columns} ON ${table}
    FOR EACH ROW EXECUTE FUNCTION refuse_new_identity()`;
}
