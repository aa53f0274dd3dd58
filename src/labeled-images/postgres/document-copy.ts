import type { EntityManager } from 'typeorm';
import type { CopyPlan, CopySlice } from '../../database/copy-plan';
import { countAffected } from '../../database/count-affected';
import { runColumns, shiftedId } from '../../database/id-run';
import type { CopiedLabelClass } from '../../label-classes/label-class.repository';

/**
 * One copy of a task's documents, inside the transaction of the rows. Documents that were made together with their images
 * are read as a range of ids; to look up every document by its pointer costs a sixth of the copy.
 */
export class DocumentCopy {
  private readonly labelClasses: readonly CopiedLabelClass[];

  constructor(
    private readonly manager: EntityManager,
    private readonly plan: CopyPlan,
    labelClasses: readonly CopiedLabelClass[],
  ) {
    this.labelClasses = labelClasses.toSorted((a, b) => a.sourceId - b.sourceId);
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
           AND id BETWEEN $13::bigint AND $14::bigint
           AND mongo_id = $9::text || (id + $15::bigint)
       ) AS image
       FULL JOIN (
         SELECT id, img_id, img_roi_id, lab_class_ids, annotations
         FROM labeled_image
         WHERE task_id = $1::bigint
           AND id BETWEEN $9::text || ($13::bigint + $15::bigint) AND $9::text || ($14::bigint + $15::bigint)
           AND lab_class_ids <@ $11::int[]
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
         AND (image.mongo_id = $9::text || (image.id + $13::bigint)) IS NOT TRUE
         AND lab_class_ids <@ $11::int[]`,
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
         $2::bigint, $9::text || (new_id + $10::bigint), new_id, new_roi_id,
         ARRAY(SELECT ($12::int[])[width_bucket(id, $11::int[])] FROM unnest(lab_class_ids) AS id), annotations
       FROM ${images}
       CROSS JOIN LATERAL (
         SELECT ${shiftedId('image.id', 3)} AS new_id, ${shiftedId('img_roi_id', 6)} AS new_roi_id
       ) AS copy
       WHERE ${condition}
         AND (img_roi_id IS NULL) = (new_roi_id IS NULL)`,
      [
        source,
        target,
        ...runColumns(imageRuns),
        ...runColumns(roiRuns),
        documentPrefix,
        documentShift,
        this.labelClasses.map(({ sourceId }) => sourceId),
        this.labelClasses.map(({ id }) => id),
        ...parameters,
      ],
    );
  }
}
