import mongoose from 'mongoose';
import { messageSplitter } from '../../test/support/message-splitter';
import type { Recorder } from './recorder';
import type { Wire } from './recording-proxy';
import type { Command } from './step';

type Document = mongoose.mongo.Document;

const { deserialize } = mongoose.mongo.BSON;
const OP_MSG = 2013;
/** The header, and the flags. */
const HEAD_BYTES = 20;
const CHECKSUM_PRESENT = 1;
const CHECKSUM_BYTES = 4;

/** What the driver asks on its own. */
const HOUSEKEEPING: ReadonlySet<string> = new Set(['hello', 'ismaster', 'isMaster', 'ping', 'endSessions']);
/** What it adds to a command, and adds again when the command is sent by it again. */
const ADDED: ReadonlySet<string> = new Set(['$db', 'lsid', '$clusterTime', 'txnNumber', '$readPreference']);

/** https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/ */
export function mongoWire(recorder: Recorder): Wire {
  const requests = messageSplitter(16, (bytes) => bytes.readInt32LE(0));
  const answers = messageSplitter(16, (bytes) => bytes.readInt32LE(0));
  const answer = new Map<number, (rows: []) => void>();
  return {
    request(bytes) {
      for (const message of requests(bytes)) {
        const command = commandIn(message);
        if (command) answer.set(message.readInt32LE(4), recorder.ask(command));
      }
    },
    answer(bytes) {
      for (const message of answers(bytes)) answer.get(message.readInt32LE(8))?.([]);
    },
  };
}

function commandIn(message: Buffer): Command | undefined {
  if (message.readInt32LE(12) !== OP_MSG) return undefined;
  const command = sectionsOf(message);
  const [name = ''] = Object.keys(command);
  if (HOUSEKEEPING.has(name)) return undefined;
  const document = Object.fromEntries(Object.entries(command).filter(([member]) => !ADDED.has(member)));
  return { kind: 'command', database: String(command['$db']), document };
}

/** The command, with the lists that came beside it put back into it. */
function sectionsOf(message: Buffer): Document {
  const command: Document = {};
  const hasChecksum = (message.readInt32LE(16) & CHECKSUM_PRESENT) !== 0;
  const end = message.length - (hasChecksum ? CHECKSUM_BYTES : 0);
  for (let at = HEAD_BYTES; at < end;) {
    const kind = message.readUInt8(at++);
    const length = message.readInt32LE(at);
    const section = message.subarray(at, at + length);
    if (kind === 0) Object.assign(command, typed(section));
    else Object.assign(command, listIn(section));
    at += length;
  }
  return command;
}

/** The size, the name of the member, and one document after the other. */
function listIn(section: Buffer): Document {
  const nameEnd = section.indexOf(0, 4);
  const documents: Document[] = [];
  for (let at = nameEnd + 1; at < section.length; at += section.readInt32LE(at))
    documents.push(typed(section.subarray(at, at + section.readInt32LE(at))));
  return { [section.toString('utf8', 4, nameEnd)]: documents };
}

/** With the types of BSON, so that what is sent again is the same. */
function typed(bytes: Buffer): Document {
  return deserialize(bytes, { promoteValues: false });
}
