import { messageSplitter } from '../../support/message-splitter';

/** A message that a client sends. */
export interface Piece {
  readonly message: Buffer;
  /** What it asks, where it asks something that counts. */
  readonly step?: string;
  /** Whether the answer to it, of which these bytes have come, says that it took effect. */
  readonly isAnswered?: (bytes: Buffer) => boolean;
}

/** Enough of a wire protocol to tell one request from the next. */
export interface Protocol {
  /** Cuts what one connection sends into whole messages. */
  requests(): (bytes: Buffer) => Piece[];
}

/** https://www.postgresql.org/docs/current/protocol-message-formats.html */
export const POSTGRESQL: Protocol = {
  requests() {
    let isStarted = false;
    let statement = '';
    let parts: Buffer[] = [];
    const messages = messageSplitter(5, (bytes) =>
      isStarted ? 1 + bytes.readUInt32BE(1) : bytes.readUInt32BE(0),
    );
    return (bytes) => {
      const pieces: Piece[] = [];
      for (const message of messages(bytes)) {
        const type = isStarted ? String.fromCharCode(message[0]!) : 'startup';
        // Without TLS the first message is the startup; all later ones have a type.
        isStarted = true;
        if (type === 'Q') statement = textAt(message, 5);
        // The name of the prepared statement, mostly empty, comes before the text.
        if (type === 'P') statement = textAt(message, 5 + Buffer.byteLength(textAt(message, 5)) + 1);
        parts.push(message);
        if (PARTS.has(type)) continue;
        const piece = { message: Buffer.concat(parts) };
        parts = [];
        const isAnswered = ANSWERED[type];
        pieces.push(isAnswered ? { ...piece, step: `postgresql: ${oneLine(statement)}`, isAnswered } : piece);
      }
      return pieces;
    };
  },
};

/** Parse, Bind, Describe, Execute, Close: before their Sync or Flush comes through, the server must not begin with them. */
const PARTS: ReadonlySet<string> = new Set(['P', 'B', 'D', 'E', 'C']);

/** A query, a Sync, the Flush of a cursor, and the end of the rows of a COPY. */
const ANSWERED: Readonly<Record<string, (bytes: Buffer) => boolean>> = {
  Q: (bytes) => asksForRows(bytes) || endsInReadyForQuery(bytes),
  c: endsInReadyForQuery,
  S: endsInReadyForQuery,
  H: (bytes) => bytes.length > 0,
};

/** CopyInResponse: the server says no more before the rows have come. */
function asksForRows(bytes: Buffer): boolean {
  return bytes[0] === 'G'.charCodeAt(0);
}

/** 'Z', its length, and the state of the transaction. */
function endsInReadyForQuery(bytes: Buffer): boolean {
  return (
    bytes.length >= 6 &&
    bytes.readUInt8(bytes.length - 6) === 0x5a &&
    bytes.readUInt32BE(bytes.length - 5) === 5
  );
}

/** https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/ */
export const MONGODB: Protocol = {
  requests() {
    const messages = messageSplitter(16, (bytes) => bytes.readInt32LE(0));
    return (bytes) =>
      messages(bytes).map((message) => {
        const command = commandOf(message);
        return command === undefined || HOUSEKEEPING.has(command)
          ? { message }
          : { message, step: `mongodb: ${command}`, isAnswered: (bytes) => bytes.length > 0 };
      });
  },
};

/** What the driver asks on its own, at times that nobody can tell. */
const HOUSEKEEPING: ReadonlySet<string> = new Set([
  'hello',
  'isMaster',
  'ismaster',
  'ping',
  'buildInfo',
  'saslStart',
  'saslContinue',
  'endSessions',
]);

const OP_MSG = 2013;

/** The name of the first member of the first section, after 16 bytes of header, the flags, and the section's kind. */
function commandOf(message: Buffer): string | undefined {
  if (message.readInt32LE(12) !== OP_MSG || message[20] !== 0) return undefined;
  return textAt(message, 21 + 4 + 1);
}

function textAt(message: Buffer, start: number): string {
  return message.toString('utf8', start, message.indexOf(0, start));
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, 80);
}
