import type { EntityManager } from 'typeorm';
import type { CopyPlan, CopySlice } from '../../database/copy-plan';
import { countAffected } from '../../database/count-affected';
import { runColumns, shiftedId } from '../../database/id-run';
import { classSubscripts } from '../../label-classes/class-subscripts';
import type { CopiedLabelClass } from '../../label-classes/label-class.repository';

/**
 * One copy of a task's documents, inside the transaction of the rows. Documents that were made together with their images
 * are read as a range of ids; to look up every document by its pointer costs a sixth of the copy.
 */
export class DocumentCopy {
  private readonly classLookup: ClassLookup;

  constructor(
    private readonly manager: EntityManager,
    private readonly plan: CopyPlan,
    labelClasses: readonly CopiedLabelClass[],
  ) {
    this.classLookup = classLookup(labelClasses);
  }

  async run(slices: AsyncIterable<CopySlice>): Promise<number> {
    const { sourceDocumentShift: shift, documentCount } = this.plan;
    let copied = 0;
    for await (const slice of slices) if (shift !== null) copied += await this.copyUsual(slice, shift);
    return copied < documentCount ? copied + (await this.copyOthers()) : copied;
  }

  /**
   * Documents whose ids follow from their images'. A FULL JOIN can only be one of hashes (what has no match is left out):
   * for an inner one the planner, which takes every task for a small one, would look up image by image.
   */
  private copyUsual({ firstId, lastId, imageRuns, roiRuns }: CopySlice, shift: bigint): Promise<number> {
    return this.insert(
      `(
         SELECT id, mongo_id
         FROM image
         WHERE task_id = $1::bigint
           AND id BETWEEN $12::bigint AND $13::bigint
           AND mongo_id = $9::text || (id + $14::bigint)
       ) AS image
       FULL JOIN (
         SELECT id, img_id, img_roi_id, lab_class_ids, annotations
         FROM labeled_image
         WHERE task_id = $1::bigint
           AND id BETWEEN $9::text || ($12::bigint + $14::bigint) AND $9::text || ($13::bigint + $14::bigint)
       ) AS document
         ON document.id = image.mongo_id AND document.img_id = image.id`,
      'num_nonnulls(image.id, document.id) = 2',
      { imageRuns, roiRuns },
      [firstId, lastId, shift],
    );
  }

  /** Documents with other ids: they were edited, or were there before this service. */
  private copyOthers(): Promise<number> {
    return this.insert(
      `image
       JOIN labeled_image AS document
         ON document.task_id = image.task_id AND document.id = image.mongo_id AND document.img_id = image.id`,
      `image.task_id = $1::bigint
         AND (image.mongo_id = $9::text || (image.id + $12::bigint)) IS NOT TRUE`,
      this.plan,
      [this.plan.sourceDocumentShift],
    );
  }

  /** Of an image and a ROI that are copied, and with classes that are: any other document is left out, and missed. */
  private insert(
    images: string,
    condition: string,
    { imageRuns, roiRuns }: Pick<CopySlice, 'imageRuns' | 'roiRuns'>,
    parameters: readonly (bigint | null)[],
  ): Promise<number> {
    const { source, target, documentPrefix, documentShift } = this.plan;
    return countAffected(
      this.manager,
      `INSERT INTO labeled_image (task_id, id, img_id, img_roi_id, lab_class_ids, annotations)
       SELECT
         $2::bigint, $9::text || (new_id + $10::bigint), new_id, new_roi_id, new_class_ids, annotations
       FROM ${images}
       CROSS JOIN LATERAL (
         SELECT ${shiftedId('image.id', 3, imageRuns)} AS new_id, ${shiftedId('img_roi_id', 6, roiRuns)} AS new_roi_id
       ) AS copy
       -- OFFSET, so that the array is not made twice, for the condition too.
       CROSS JOIN LATERAL (SELECT ${newClassIds(this.classLookup)} AS new_class_ids OFFSET 0) AS classes
       WHERE ${condition}
         AND (img_roi_id IS NULL) = (new_roi_id IS NULL)
         AND array_position(new_class_ids, NULL) IS NULL`,
      [
        source,
        target,
        ...runColumns(imageRuns),
        ...runColumns(roiRuns),
        documentPrefix,
        documentShift,
        this.classLookup.parameter,
        ...parameters,
      ],
    );
  }
}

/** The new ids of classes by their old ones: SQL that gives NULL for a class that is not copied, and its parameter $11. */
interface ClassLookup {
  readonly sql: (id: string) => string;
  readonly parameter: string;
}

/** A few classes are named one by one, which takes two thirds of a subquery's time; most images have no more. */
const CLASSES_NAMED_MAX = 4;

/** SQL for the array of a document's new classes, NULL in the place of one that is not copied. */
function newClassIds({ sql }: ClassLookup): string {
  const named = Array.from({ length: CLASSES_NAMED_MAX }, (_, at) => sql(`lab_class_ids[${String(at + 1)}]`));
  const branches = named.map(
    (_, at) => `WHEN ${String(at + 1)} THEN ARRAY[${named.slice(0, at + 1).join()}]`,
  );
  // unnest() not in FROM, where it buffers its rows.
  return `CASE cardinality(lab_class_ids) ${branches.join(' ')} ELSE ARRAY(SELECT ${sql('unnest(lab_class_ids)')}) END`;
}

/** Classes that are scattered are looked up by name. */
function classLookup(labelClasses: readonly CopiedLabelClass[]): ClassLookup {
  const subscripts = classSubscripts(labelClasses);
  if (subscripts) {
    const { firstId, newIds } = subscripts;
    // 0, not NULL, where there is no class: in an array with NULLs every lookup begins at its first element.
    return {
      sql: (id) => `nullif(($11::int[])[${id}], 0)`,
      parameter: `[${String(firstId)}:${String(firstId + newIds.length - 1)}]={${newIds.join()}}`,
    };
  }
  return {
    sql: (id) => `($11::jsonb ->> ${id}::text)::int`,
    parameter: JSON.stringify(Object.fromEntries(labelClasses.map(({ sourceId, id }) => [sourceId, id]))),
  };
}
