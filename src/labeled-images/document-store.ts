import type { DataSource, EntityManager } from 'typeorm';
import { StartError } from '../config/start-error';
import type { DocumentStoreKind } from '../database/installation.entity';
import { inTransaction } from '../database/transaction';

/** What PostgreSQL says about the installation. */
export interface RecordedInstallation {
  readonly id: string;
  readonly documentPrefix: string;
  /** Whether documents of this installation must be where this start looks for them. */
  readonly hasDocuments: boolean;
}

interface InstallationRow {
  readonly id: string;
  readonly documentPrefix: string;
  readonly recorded: DocumentStoreKind;
}

/**
 * Before the service listens: makes sure that the documents are where this start looks for them, and records it. Nodes that
 * start at once do so one after the other, `claim` included, which is what the store has to check on its own side.
 * @throws StartError when documents of this installation are elsewhere
 */
export async function takeDocumentStore(
  dataSource: DataSource,
  store: DocumentStoreKind,
  claim: (installation: RecordedInstallation) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const connection = dataSource.createQueryRunner();
  try {
    await inTransaction(connection, 'READ COMMITTED', async (manager) => {
      const { id, documentPrefix, recorded } = await lockInstallation(manager);
      const hasDocuments = await holdsDocuments(manager, recorded);
      if (recorded !== store && hasDocuments) throw new StartError(ELSEWHERE[recorded]);
      await claim({ id, documentPrefix, hasDocuments });
      if (recorded !== store) await record(manager, store);
    });
  } finally {
    await connection.release();
  }
}

async function lockInstallation(manager: EntityManager): Promise<InstallationRow> {
  const [row] = await manager.query<InstallationRow[]>(
    `SELECT id, document_prefix AS "documentPrefix", document_store AS recorded
     FROM installation
     FOR UPDATE`,
  );
  if (!row) throw new Error('installation has lost its row');
  return row;
}

/** Of documents in MongoDB PostgreSQL knows the pointers, and where unreachable ones may lie. */
async function holdsDocuments(manager: EntityManager, store: DocumentStoreKind): Promise<boolean> {
  const [row] = await manager.query<{ holds: boolean }[]>(
    store === 'postgresql'
      ? `SELECT EXISTS (SELECT FROM labeled_image) AS holds`
      : `SELECT
           EXISTS (SELECT FROM image WHERE mongo_id IS NOT NULL) OR EXISTS (SELECT FROM document_garbage) AS holds`,
  );
  return row!.holds; // a SELECT without FROM always answers one row
}

async function record(manager: EntityManager, store: DocumentStoreKind): Promise<void> {
  await manager.query(`UPDATE installation SET document_store = $1::text`, [store]);
}

const ELSEWHERE: Readonly<Record<DocumentStoreKind, string>> = {
  postgresql:
    'The annotation documents of this installation are in PostgreSQL, and MONGODB_URI is set: unset it, or start with an empty PostgreSQL database.',
  mongodb:
    'The annotation documents of this installation are in MongoDB: set MONGODB_URI to the address of that MongoDB, or start with an empty PostgreSQL database.',
};
