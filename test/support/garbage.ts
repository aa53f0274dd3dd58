import type { GarbageReason } from '../../src/labeled-images/document-garbage.entity';
import type { TestApp } from './test-app';

export interface Garbage {
  readonly reason: GarbageReason;
  readonly firstId: string;
  readonly lastId: string;
  readonly failed: boolean;
}

/** What is recorded of the task's documents that may be unreachable, in the order of the records. */
export function garbageOf(app: TestApp, taskId: string): Promise<Garbage[]> {
  return app.dataSource.query<Garbage[]>(
    `SELECT reason, first_id AS "firstId", last_id AS "lastId", failed_at IS NOT NULL AS failed
     FROM document_garbage
     WHERE task_id = $1::bigint
     ORDER BY id`,
    [taskId],
  );
}
