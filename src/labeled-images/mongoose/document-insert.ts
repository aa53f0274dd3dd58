import type { Heartbeat } from '../../database/heartbeat';
import type { NewDocument } from '../labeled-image.repository';
import { encodeDocuments } from './document-encoding';
import { inLanes } from './in-lanes';
import type { DocumentCollection } from './labeled-image.schema';
import { insertRaw, insertRepeatably } from './raw-insert';

const LANES = 3;

/** Writes documents to MongoDB, a few batches at once. */
export class DocumentInsert {
  constructor(
    private readonly documents: DocumentCollection,
    private readonly taskId: string,
    private readonly heartbeat: Heartbeat,
  ) {}

  async run(batches: AsyncGenerator<readonly NewDocument[]>): Promise<void> {
    const taskId = BigInt(this.taskId);
    await inLanes(LANES, batches, async (batch) => {
      await this.heartbeat.check();
      const bson = encodeDocuments(taskId, batch);
      // A single one is mostly an edit, which somebody waits for.
      const insert = batch.length === 1 ? insertRepeatably : insertRaw;
      await insert(this.documents, bson);
    });
  }
}
