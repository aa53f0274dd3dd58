import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

export type DocumentStoreKind = 'postgresql' | 'mongodb';

/** What is one for the whole installation. */
@Entity('installation')
@Check('installation_single', 'single')
@Check('installation_document_store_known', `document_store IN ('postgresql', 'mongodb')`)
@Check('installation_document_prefix_format', `document_prefix ~ '^[0-9a-f]{5}$'`)
export class Installation {
  @PrimaryColumn({ type: 'boolean', default: true })
  single!: boolean;

  /** The first five digits of every annotation document's id, drawn at random at the first migration. */
  @Column({ name: 'document_prefix', type: 'text' })
  documentPrefix!: string;

  /** What the documents' database is marked with, too: both belong together. */
  @Column({ type: 'uuid' })
  id!: string;

  /** Where the documents live. */
  @Column({ name: 'document_store', type: 'text' })
  documentStore!: DocumentStoreKind;
}
