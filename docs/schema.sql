-- What the migrations make, for review; written by npm run schema.

CREATE TABLE document_garbage (
  id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  task_id bigint NOT NULL,
  first_id text COLLATE "C" NOT NULL,
  last_id text COLLATE "C" NOT NULL,
  attempt_id uuid,
  reason text NOT NULL,
  made_by bigint NOT NULL,
  made_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
  failed_at timestamp with time zone,
  sweep_at timestamp with time zone,
  CONSTRAINT "PK_9ea2cc2c9c2c2e2cb2e7a2b0f2a" PRIMARY KEY (id),
  CONSTRAINT document_garbage_failed_write CHECK (failed_at IS NULL OR (reason = ANY (ARRAY['copy'::text, 'import'::text, 'edit'::text]))),
  CONSTRAINT document_garbage_range CHECK (first_id <= last_id),
  CONSTRAINT document_garbage_reason_known CHECK (reason = ANY (ARRAY['copy'::text, 'import'::text, 'edit'::text, 'replaced'::text, 'deleted'::text]))
);
CREATE INDEX document_garbage_by_task ON document_garbage USING btree (task_id);

CREATE TABLE id_counter (
  single boolean DEFAULT true NOT NULL,
  last_number bigint NOT NULL,
  CONSTRAINT "PK_4cb130d39413b660983dc2030a4" PRIMARY KEY (single),
  CONSTRAINT id_counter_range CHECK (last_number >= 0 AND last_number <= '99999999999'::bigint),
  CONSTRAINT id_counter_single CHECK (single)
);

CREATE TABLE image (
  task_id bigint NOT NULL,
  id bigint NOT NULL,
  set_type smallint NOT NULL,
  name text NOT NULL,
  width integer NOT NULL,
  height integer NOT NULL,
  state text,
  order_id integer NOT NULL,
  mongo_id text COLLATE "C",
  copied_from_id bigint,
  extra json,
  CONSTRAINT "PK_e4e9bcab06423b7d7f21faa3177" PRIMARY KEY (task_id, id),
  CONSTRAINT image_order UNIQUE (task_id, order_id),
  CONSTRAINT image_mongo_id_length CHECK (char_length(mongo_id) = 24),
  CONSTRAINT image_name_length CHECK (char_length(name) >= 1 AND char_length(name) <= 1024),
  CONSTRAINT image_order_positive CHECK (order_id > 0),
  CONSTRAINT image_set_type_known CHECK (set_type = ANY (ARRAY[0, 1, 2])),
  CONSTRAINT image_size_positive CHECK (width > 0 AND height > 0),
  CONSTRAINT image_state_known CHECK (state = ANY (ARRAY['已标注'::text, '已训练'::text, '已测试'::text]))
);
CREATE TRIGGER check_image_left_no_roi AFTER DELETE ON image
  REFERENCING OLD TABLE AS removed
  FOR EACH STATEMENT EXECUTE FUNCTION check_image_left_no_roi();
CREATE TRIGGER check_task_exists AFTER INSERT ON image
  REFERENCING NEW TABLE AS inserted
  FOR EACH STATEMENT EXECUTE FUNCTION check_task_exists();
CREATE TRIGGER refuse_new_identity BEFORE UPDATE OF task_id, id ON image
  FOR EACH ROW EXECUTE FUNCTION refuse_new_identity();

CREATE TABLE installation (
  single boolean DEFAULT true NOT NULL,
  document_prefix text NOT NULL,
  id uuid NOT NULL,
  document_store text NOT NULL,
  CONSTRAINT "PK_54da45b2aeffa5185dd2a90ae44" PRIMARY KEY (single),
  CONSTRAINT installation_document_prefix_format CHECK (document_prefix ~ '^[0-9a-f]{5}$'::text),
  CONSTRAINT installation_document_store_known CHECK (document_store = ANY (ARRAY['postgresql'::text, 'mongodb'::text])),
  CONSTRAINT installation_single CHECK (single)
);

CREATE TABLE label_class (
  task_id bigint NOT NULL,
  id integer GENERATED ALWAYS AS IDENTITY NOT NULL,
  name text NOT NULL,
  color text NOT NULL,
  order_id integer NOT NULL,
  copied_from_id integer,
  extra json,
  CONSTRAINT "PK_9bcb8df6e029953c10841020e12" PRIMARY KEY (task_id, id),
  CONSTRAINT label_class_order UNIQUE (task_id, order_id),
  CONSTRAINT label_class_color_format CHECK (color ~ '^#[0-9a-f]{6}$'::text),
  CONSTRAINT label_class_name_length CHECK (char_length(name) >= 1 AND char_length(name) <= 200),
  CONSTRAINT label_class_order_positive CHECK (order_id > 0)
);
CREATE TRIGGER check_task_exists AFTER INSERT ON label_class
  REFERENCING NEW TABLE AS inserted
  FOR EACH STATEMENT EXECUTE FUNCTION check_task_exists();
CREATE TRIGGER refuse_new_identity BEFORE UPDATE OF task_id, id ON label_class
  FOR EACH ROW EXECUTE FUNCTION refuse_new_identity();

CREATE TABLE labeled_image (
  task_id bigint NOT NULL,
  id text COLLATE "C" NOT NULL,
  img_id bigint NOT NULL,
  img_roi_id bigint,
  lab_class_ids integer[] NOT NULL,
  annotations json NOT NULL,
  CONSTRAINT "PK_00d34fe3bc1804398d22bf3d12c" PRIMARY KEY (task_id, id),
  CONSTRAINT labeled_image_classes_known CHECK (array_position(lab_class_ids, NULL::integer) IS NULL)
);
CREATE TRIGGER check_task_exists AFTER INSERT ON labeled_image
  REFERENCING NEW TABLE AS inserted
  FOR EACH STATEMENT EXECUTE FUNCTION check_task_exists();

CREATE TABLE roi_image (
  task_id bigint NOT NULL,
  id bigint NOT NULL,
  image_id bigint NOT NULL,
  x integer NOT NULL,
  y integer NOT NULL,
  width integer NOT NULL,
  height integer NOT NULL,
  copied_from_id bigint,
  CONSTRAINT "PK_51dccbc276052d818753231880d" PRIMARY KEY (task_id, id),
  CONSTRAINT roi_image_one_per_image UNIQUE (task_id, image_id),
  CONSTRAINT roi_image_box_positive CHECK (x >= 0 AND y >= 0 AND width > 0 AND height > 0)
);
CREATE TRIGGER check_roi_inside_image AFTER INSERT ON roi_image
  REFERENCING NEW TABLE AS inserted
  FOR EACH STATEMENT EXECUTE FUNCTION check_roi_inside_image();
CREATE TRIGGER refuse_new_identity BEFORE UPDATE OF task_id, id, image_id ON roi_image
  FOR EACH ROW EXECUTE FUNCTION refuse_new_identity();

CREATE TABLE task (
  task_id bigint NOT NULL,
  name text NOT NULL,
  task_type smallint,
  image_count integer DEFAULT 0 NOT NULL,
  coco_info json,
  coco_licenses json,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT "PK_721f914bb100703f201a77dd58f" PRIMARY KEY (task_id),
  CONSTRAINT task_id_19_digits CHECK (task_id >= '1000000000000000000'::bigint),
  CONSTRAINT task_image_count_not_negative CHECK (image_count >= 0),
  CONSTRAINT task_name_length CHECK (char_length(name) >= 1 AND char_length(name) <= 200),
  CONSTRAINT task_type_known CHECK (task_type = ANY (ARRAY[1, 2, 3]))
);
CREATE INDEX task_newest_first ON task USING btree (created_at, task_id);
CREATE TRIGGER check_task_left_nothing AFTER DELETE ON task
  REFERENCING OLD TABLE AS removed
  FOR EACH STATEMENT EXECUTE FUNCTION check_task_left_nothing();
CREATE TRIGGER refuse_new_identity BEFORE UPDATE OF task_id ON task
  FOR EACH ROW EXECUTE FUNCTION refuse_new_identity();

CREATE TABLE task_duplication (
  task_id bigint NOT NULL,
  attempt_id uuid NOT NULL,
  source_task_id bigint NOT NULL,
  state text NOT NULL,
  started_at timestamp with time zone NOT NULL,
  finished_at timestamp with time zone,
  image_count integer NOT NULL,
  roi_count integer NOT NULL,
  label_class_count integer NOT NULL,
  document_count integer NOT NULL,
  document_shift bigint,
  first_document_id text COLLATE "C",
  last_document_id text COLLATE "C",
  edits_in_flight text[] DEFAULT '{}'::text[] NOT NULL,
  CONSTRAINT "PK_db22b0e57937c27cd6e3e715de3" PRIMARY KEY (task_id),
  CONSTRAINT task_duplication_finished CHECK ((state = 'running'::text) = (finished_at IS NULL)),
  CONSTRAINT task_duplication_state_known CHECK (state = ANY (ARRAY['running'::text, 'done'::text, 'failed'::text])),
  CONSTRAINT task_duplication_two_tasks CHECK (task_id <> source_task_id)
);

CREATE OR REPLACE FUNCTION public.check_image_left_no_roi()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
      END $function$;

CREATE OR REPLACE FUNCTION public.check_roi_inside_image()
 RETURNS trigger
 LANGUAGE plpgsql
 SET enable_nestloop TO 'off'
AS $function$
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
      END $function$;

CREATE OR REPLACE FUNCTION public.check_task_exists()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
      END $function$;

CREATE OR REPLACE FUNCTION public.check_task_left_nothing()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
      END $function$;

CREATE OR REPLACE FUNCTION public.refuse_new_identity()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      BEGIN
        RAISE integrity_constraint_violation USING MESSAGE = format('%s: an id never changes', TG_TABLE_NAME);
      END $function$;
