import mongoose from 'mongoose';
import { ApiError } from '../../errors/api-error';

const {
  MongoBulkWriteError,
  MongoError,
  MongoNetworkError,
  MongoServerError,
  MongoServerSelectionError,
  MongoWriteConcernError,
} = mongoose.mongo;

const MAX_TIME_EXPIRED = 50;
const DUPLICATE_KEY = 11000;

/**
 * Codes of a server that is going, changing its role, full, or out of touch with the others, but not that a statement is
 * wrong. https://github.com/mongodb/mongo/blob/v6.0/src/mongo/base/error_codes.yml
 */
const AWAY_CODES: ReadonlySet<unknown> = new Set([
  6, // HostUnreachable
  7, // HostNotFound
  24, // LockTimeout
  43, // CursorNotFound: the server was started again between two batches
  MAX_TIME_EXPIRED,
  64, // WriteConcernFailed: no majority in time
  89, // NetworkTimeout
  91, // ShutdownInProgress
  100, // UnsatisfiableWriteConcern
  133, // FailedToSatisfyReadPreference
  134, // ReadConcernMajorityNotAvailableYet
  175, // QueryPlanKilled
  189, // PrimarySteppedDown
  202, // NetworkInterfaceExceededTimeLimit
  237, // CursorKilled
  262, // ExceededTimeLimit
  9001, // SocketException
  10058, // LegacyNotPrimary
  10107, // NotWritablePrimary
  11600, // InterruptedAtShutdown
  11601, // Interrupted: by an operator
  11602, // InterruptedDueToReplStateChange
  13435, // NotPrimaryNoSecondaryOk
  13436, // NotPrimaryOrSecondary
  14031, // OutOfDiskSpace
]);

/** Driver errors that have no class of their own among the exports. */
const AWAY_NAMES: ReadonlySet<string> = new Set([
  'MongoNotConnectedError',
  'MongoServerClosedError',
  'MongoTopologyClosedError',
  'MongoClientClosedError',
  'MongoWaitQueueTimeoutError',
  'MongoExpiredSessionError',
]);

/**
 * Runs `work` on MongoDB.
 * @throws ApiError DATABASE_AWAY instead of the driver's many ways to say so; DOCUMENT_ID_TAKEN
 */
export async function whileMongoIsThere<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw explain(thrown);
  }
}

/** The same for what is read piece by piece. */
export async function* streamWhileMongoIsThere<T>(pieces: AsyncGenerator<T>): AsyncGenerator<T> {
  try {
    yield* pieces;
  } catch (thrown) {
    throw explain(thrown);
  }
}

/** Whether mongod itself gave a statement up for its length; not that the other members took long. */
export function isTooSlow(thrown: unknown): boolean {
  return (
    thrown instanceof MongoServerError &&
    !(thrown instanceof MongoWriteConcernError) &&
    thrown.code === MAX_TIME_EXPIRED
  );
}

function explain(thrown: unknown): unknown {
  if (isMongoAway(thrown)) return new ApiError('DATABASE_AWAY', {}, { cause: thrown });
  // After PostgreSQL was restored without raising its counter; a new attempt reserves the next ids.
  if (thrown instanceof MongoServerError && thrown.code === DUPLICATE_KEY) {
    return new ApiError('DOCUMENT_ID_TAKEN', {}, { cause: thrown });
  }
  return thrown;
}

/** Whether MongoDB could not be reached, was lost, or cannot be written at the moment: later it may go well. */
export function isMongoAway(thrown: unknown): boolean {
  if (!(thrown instanceof MongoError)) return false;
  if (thrown instanceof MongoBulkWriteError) return isBulkWriteAway(thrown);
  return (
    thrown instanceof MongoNetworkError ||
    thrown instanceof MongoServerSelectionError ||
    AWAY_NAMES.has(thrown.name) ||
    AWAY_CODES.has(thrown.code)
  );
}

/** What mongod answers to a write. https://www.mongodb.com/docs/manual/reference/command/insert/#output */
interface WriteReply {
  readonly writeErrors?: readonly { readonly code: number; readonly errmsg: string }[];
}

/**
 * A command throws where no majority has confirmed it, and nothing for the documents that it could not write; null where
 * nothing is wrong.
 */
export function writeFault({ writeErrors = [] }: WriteReply): Error | null {
  // One that does not go away later is the one to be told.
  const fault = writeErrors.find(({ code }) => !AWAY_CODES.has(code)) ?? writeErrors[0];
  return fault ? new MongoServerError(fault) : null;
}

/** A bulk write hides what ended it: of a document by its code, of the connection by having none. */
function isBulkWriteAway({ code, writeErrors }: InstanceType<typeof MongoBulkWriteError>): boolean {
  const faults = [writeErrors].flat();
  if (faults.length > 0) return faults.every((fault) => AWAY_CODES.has(fault.code));
  return typeof code !== 'number' || AWAY_CODES.has(code);
}
