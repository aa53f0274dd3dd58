import { createRequire } from 'node:module';
import { Logger } from '@nestjs/common';
import type mongoose from 'mongoose';
import { decodeDocuments } from './document-decoding';
import type { DocumentCollection, LabeledImage } from './labeled-image.schema';
import { writeFault } from './mongo-faults';
import { WRITE } from './mongo-settings';

/** What the driver takes for an array in a command that is BSON already; any number of documents may be pushed at once. */
type DocumentSequence = new (field: string) => {
  push(document: unknown, bson: Uint8Array): unknown;
  toBin(): Uint8Array;
};

const { writeConcern, maxTimeMS } = WRITE;
const { wtimeoutMS: wtimeout, ...acknowledged } = writeConcern;

/**
 * Writes documents that are BSON already, one behind the other: at most 48 MB, a message of MongoDB. All of them are tried.
 * @throws for a part that was not written, and for a majority that did not confirm
 */
export async function insertRaw(
  documents: DocumentCollection,
  bson: Buffer,
  Sequence = documentSequence(),
): Promise<void> {
  if (!Sequence) return insertRepeatably(documents, bson);
  const sequence = new Sequence('documents');
  sequence.push(null, bson);
  // Mongoose's wrapper of the driver's collection knows its connection.
  const { conn } = documents as unknown as mongoose.Collection;
  const db = conn.db!; // it is connected
  const reply = await db.command({
    insert: documents.collectionName,
    documents: sequence,
    ordered: false,
    writeConcern: { ...acknowledged, wtimeout },
    maxTimeMS,
  });
  const fault = writeFault(reply);
  if (fault) throw fault;
}

/** The same by the driver's own method: slower, but it sends them once more where the connection is lost. */
export async function insertRepeatably(documents: DocumentCollection, bson: Buffer): Promise<void> {
  const decoded = decodeDocuments(bson) as unknown as LabeledImage[]; // Maps are as good to the driver
  await documents.insertMany(decoded, { ...WRITE, ordered: false });
}

let found: DocumentSequence | null | undefined;

/** Looked for once, when there is something to be inserted. */
function documentSequence(): DocumentSequence | null {
  if (found === undefined) found = findDocumentSequence();
  return found;
}

/**
 * The driver has no public way to insert what is BSON already, and to make objects of it for the driver to encode them again
 * would be a third of an import. So its class is looked for where it is, and tried; without it, it is that way.
 */
function findDocumentSequence(): DocumentSequence | null {
  try {
    const fromMongoose = createRequire(require.resolve('mongoose'));
    const { DocumentSequence } = fromMongoose('mongodb/lib/cmap/commands.js') as {
      DocumentSequence: DocumentSequence;
    };
    const sequence = new DocumentSequence('documents');
    sequence.push(null, EMPTY_DOCUMENTS);
    if (Buffer.from(sequence.toBin()).equals(EXPECTED)) return DocumentSequence;
    throw new Error('DocumentSequence writes something else');
  } catch (error) {
    new Logger('insertRaw').warn({ event: 'raw_insert_unavailable', error: String(error) });
    return null;
  }
}

const EMPTY_DOCUMENTS = Buffer.from([5, 0, 0, 0, 0, 5, 0, 0, 0, 0]);
/** https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/, "Kind 1: Document Sequence" */
const EXPECTED = Buffer.concat([Buffer.from('\x01\x18\0\0\0documents\0', 'latin1'), EMPTY_DOCUMENTS]);
