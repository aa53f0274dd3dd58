import type { CopyPlan, CopySlice } from '../../database/copy-plan';
import type { DocumentRange } from '../../database/document-range';
import type { Heartbeat } from '../../database/heartbeat';
import type { CopiedLabelClass } from '../../label-classes/label-class.repository';
import { halve, type CopyChunk, type CopyChunks } from './copy-chunks';
import { classRewrite, copyPipelines, targetRange, type ClassRewrite, type Pipeline } from './copy-pipeline';
import { idsIn } from './document-ids';
import { inLanes } from './in-lanes';
import { BY_TASK, type DocumentCollection } from './labeled-image.schema';
import { isTooSlow } from './mongo-faults';
import { READ, WRITE } from './mongo-settings';

/** More in flight are no faster: mongod is busy with two. */
const LANES = 2;

/** One copy of a task's documents, inside MongoDB. */
export class DocumentCopy {
  private readonly classes: ClassRewrite;

  constructor(
    private readonly documents: DocumentCollection,
    private readonly plan: CopyPlan,
    labelClasses: readonly CopiedLabelClass[],
    private readonly heartbeat: Heartbeat,
  ) {
    this.classes = classRewrite(labelClasses);
  }

  /** @returns how many documents lie in the target's range afterwards: `$merge` itself does not say */
  async run(slices: AsyncGenerator<CopySlice>, chunks: CopyChunks): Promise<number> {
    await inLanes(LANES, chunks.cut(slices), async (chunk) => {
      const startedAt = performance.now();
      await this.copyChunk(chunk);
      chunks.adapt(performance.now() - startedAt);
    });
    return this.plan.documents ? this.count(this.plan.documents) : 0;
  }

  private async copyChunk(chunk: CopyChunk): Promise<void> {
    try {
      for (const pipeline of copyPipelines(this.plan, chunk, this.classes)) await this.merge(pipeline);
    } catch (error) {
      if (!isTooSlow(error) || chunk.firstId === chunk.lastId) throw error;
      await this.copyInHalves(chunk);
    }
  }

  /** What a statement has written that was given up stays, and would be in the way of the next ones. */
  private async copyInHalves(chunk: CopyChunk): Promise<void> {
    const range = targetRange(this.plan, chunk);
    if (!range) return;
    await this.heartbeat.check();
    await this.documents.deleteMany({ task_id: BigInt(this.plan.target), _id: idsIn(range) }, WRITE);
    for (const half of halve(chunk)) if (half.imageRuns.length > 0) await this.copyChunk(half);
  }

  private async merge(pipeline: Pipeline): Promise<void> {
    await this.heartbeat.check();
    await this.documents.aggregate(pipeline, WRITE).toArray();
  }

  private count(range: DocumentRange): Promise<number> {
    return this.documents.countDocuments(
      { task_id: BigInt(this.plan.target), _id: idsIn(range) },
      { ...READ, hint: BY_TASK },
    );
  }
}
