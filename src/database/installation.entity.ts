import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** What is one for the whole installation. */
@Entity('installation')
@Check('installation_single', 'single')
@Check('installation_document_prefix_format', `document_prefix ~ '^[0-9a-f]{5}$'`)
export class Installation {
  @PrimaryColumn({ type: 'boolean', default: true })
  single!: boolean;

  /** The first five digits of every annotation document's id, drawn at random at the first migration. */
  @Column({ name: 'document_prefix', type: 'text' })
  documentPrefix!: string;
}
