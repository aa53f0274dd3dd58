import type { ConnectOptions } from 'mongoose';

/** A statement that mongod has not finished by then, it gives up: also that of a node that has died. */
const STATEMENT_MS_MAX = 20_000;

/** Stated with every write, for a URI may say something else. */
const WRITE_CONCERN = { w: 'majority', j: true, wtimeoutMS: 10_000 } as const;

export const WRITE = { writeConcern: WRITE_CONCERN, maxTimeMS: STATEMENT_MS_MAX } as const;

/** Documents that were written a moment ago are read, and no other member may be behind. */
export const READ = { readPreference: 'primary', maxTimeMS: STATEMENT_MS_MAX } as const;

/**
 * What holds whatever the URI says. A server that says nothing any more is found out by the driver's heartbeat on a
 * connection of its own, at the latest after 10 s, and then all that waits for it fails: a long statement on a server that
 * is well needs no limit here. The limit for a single connection that has fallen silent lies over that of any statement.
 */
export const CONNECTION = {
  writeConcern: WRITE_CONCERN,
  readPreference: 'primary',
  retryWrites: true,
  retryReads: true,
  serverSelectionTimeoutMS: 5_000,
  connectTimeoutMS: 5_000,
  heartbeatFrequencyMS: 5_000,
  waitQueueTimeoutMS: 10_000,
  socketTimeoutMS: STATEMENT_MS_MAX + WRITE_CONCERN.wtimeoutMS + 5_000,
  // A request must not wait for a server that is away.
  bufferCommands: false,
  autoIndex: false,
  autoCreate: false,
} as const satisfies ConnectOptions;
