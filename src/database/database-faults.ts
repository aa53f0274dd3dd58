import { types } from 'node:util';
import { DatabaseError } from 'pg';
import {
  QueryFailedError,
  QueryRunnerAlreadyReleasedError,
  QueryRunnerProviderAlreadyReleasedError,
} from 'typeorm';

/**
 * SQLSTATEs that say that the server is away, starting, stopping or full, but not that a statement is wrong.
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const AWAY_SQLSTATES: ReadonlySet<string> = new Set([
  '53300', // too_many_connections
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  '55000', // object_not_in_prerequisite_state: the database takes no connections at the moment
  '25P03', // idle_in_transaction_session_timeout
  '57P05', // idle_session_timeout
]);

/** Of the socket, by Node. */
const AWAY_ERRNOS: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

/** The driver has no code for these two; its texts are fixed in node-postgres 8 (pg-pool index.js, pg client.js). */
const AWAY_TEXTS = [/^Connection terminated/, /^timeout exceeded when trying to connect/, /not queryable$/];

/** Whether the database could not be reached or was lost, so that the same request may succeed later. */
export function isDatabaseAway(thrown: unknown): boolean {
  // TypeORM gives a connection up when it is lost between two statements; its manager says so by another error.
  if (thrown instanceof QueryRunnerAlreadyReleasedError) return true;
  if (thrown instanceof QueryRunnerProviderAlreadyReleasedError) return true;
  const error: unknown = thrown instanceof QueryFailedError ? thrown.driverError : thrown;
  // Not `instanceof`: Node makes the errors of sockets in its own realm, Jest runs everything else in another one.
  if (!types.isNativeError(error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code.startsWith('08')) return true; // connection exceptions
  // The socket file of a server that has gone; any other file that is missing is no fault of the database.
  if (code === 'ENOENT') return 'syscall' in error && error.syscall === 'connect';
  return (
    AWAY_SQLSTATES.has(code) || AWAY_ERRNOS.has(code) || AWAY_TEXTS.some((text) => text.test(error.message))
  );
}

/**
 * Whether a COMMIT that ended like this may have taken effect: the connection was lost, or the server ended the session.
 * Whatever else the server itself answers says that it has not.
 */
export function isOutcomeUnknown(thrown: unknown): boolean {
  const error: unknown = thrown instanceof QueryFailedError ? thrown.driverError : thrown;
  // 57: operator intervention
  return !(error instanceof DatabaseError) || /^(57|08)/.test(error.code ?? '');
}

export function sqlStateOf(thrown: unknown): string | undefined {
  const error: unknown = thrown instanceof QueryFailedError ? thrown.driverError : thrown;
  return types.isNativeError(error) && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}

const IN_FAILED_TRANSACTION = '25P02';

/** What fails because its transaction has failed before only follows from that; else it is what came first. */
export function throwUnlessAborted(fault: unknown): void {
  if (sqlStateOf(fault) !== IN_FAILED_TRANSACTION) throw fault;
}
