import type mongoose from 'mongoose';
import { StartError } from '../../config/start-error';
import type { RecordedInstallation } from '../document-store';
import { READ, WRITE } from './mongo-settings';

/** Beside the documents: whose they are. */
interface InstallationMark {
  readonly _id: 'installation';
  readonly installation_id: string;
  readonly document_prefix: string;
}

/** @throws StartError when this MongoDB is another installation's, or not the one that has the documents of this one */
export async function claimMongo(
  connection: mongoose.Connection,
  { id, documentPrefix, hasDocuments }: RecordedInstallation,
): Promise<void> {
  const meta = connection.db!.collection<InstallationMark>('meta'); // it is connected
  const known = await meta.findOne({ _id: 'installation' }, READ);
  if (!known && hasDocuments) throw new StartError(NOT_OURS);
  // Of several that start at once the first one is the owner.
  const mark = await meta.findOneAndUpdate(
    { _id: 'installation' },
    { $setOnInsert: { installation_id: id, document_prefix: documentPrefix } },
    { ...WRITE, upsert: true, returnDocument: 'after' },
  );
  if (mark?.installation_id !== id) throw new StartError(ANOTHER);
}

const NOT_OURS =
  'The annotation documents of this installation are in a MongoDB database, but not in the one that MONGODB_URI names, which has none of any installation: correct the address, or restore that database from its backup.';

const ANOTHER =
  'The MongoDB database that MONGODB_URI names belongs to another installation: give this one a database of its own (the name behind the / of the address), or set DATABASE_URL to the PostgreSQL database that belongs to it.';
