import { Check, Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** Why documents may be unreachable: a write that has not committed (yet), or one that took their pointer away. */
export type GarbageReason = 'copy' | 'import' | 'edit' | 'replaced' | 'deleted';

/**
 * A range of document ids under which unreachable documents may lie. The row of a copy, an import or an edit is there
 * before its documents and leaves in the transaction that makes them reachable; where that fails, the row stays. The row
 * of a replaced document or a deleted task comes in the transaction that took the pointers away.
 */
@Entity('document_garbage')
@Check('document_garbage_reason_known', `reason IN ('copy', 'import', 'edit', 'replaced', 'deleted')`)
@Check('document_garbage_range', 'first_id <= last_id')
@Check('document_garbage_failed_write', `failed_at IS NULL OR reason IN ('copy', 'import', 'edit')`)
export class DocumentGarbage {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id!: string;

  @Index('document_garbage_by_task')
  @Column({ name: 'task_id', type: 'bigint' })
  taskId!: string;

  @Column({ name: 'first_id', type: 'text', collation: 'C' })
  firstId!: string;

  @Column({ name: 'last_id', type: 'text', collation: 'C' })
  lastId!: string;

  /** Of a copy. */
  @Column({ name: 'attempt_id', type: 'uuid', nullable: true })
  attemptId!: string | null;

  @Column({ type: 'text' })
  reason!: GarbageReason;

  /** The transaction of this row, as an xid8: a snapshot that is older may still show pointers to the documents. */
  @Column({ name: 'made_by', type: 'bigint' })
  madeBy!: string;

  /** Not when the transaction began: it may have waited for long. */
  @Column({ name: 'made_at', type: 'timestamptz', default: () => 'clock_timestamp()' })
  madeAt!: Date;

  /** When the write was known to have failed; null while it may still commit. */
  @Column({ name: 'failed_at', type: 'timestamptz', nullable: true })
  failedAt!: Date | null;

  /** When the range of a failed write is swept again: a stopped node may wake and write late. */
  @Column({ name: 'sweep_at', type: 'timestamptz', nullable: true })
  sweepAt!: Date | null;
}
