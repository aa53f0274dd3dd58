import { messageSplitter } from '../../test/support/message-splitter';
import type { Recorder } from './recorder';
import type { Wire } from './recording-proxy';

/** What a client has sent since the server was last ready. */
interface Asked {
  text: string;
  values: (string | null)[] | undefined;
  reads: number[];
  rows: (string | null)[][];
  answer?: (rows: (string | null)[][]) => void;
}

const IN_TEXT = 0;

/** https://www.postgresql.org/docs/current/protocol-message-formats.html: as much of it as `pg` and `pg-cursor` use. */
export function postgresWire(recorder: Recorder): Wire {
  let isStarted = false;
  let asked: Asked = nothing();
  const requests = messageSplitter(5, (bytes) =>
    isStarted ? 1 + bytes.readUInt32BE(1) : bytes.readUInt32BE(0),
  );
  const answers = messageSplitter(5, (bytes) => 1 + bytes.readUInt32BE(1));

  function request(message: Buffer): void {
    const fields = new Fields(message);
    switch (fields.type) {
      case 'Q':
        asked = { ...nothing(), text: fields.text() };
        record();
        break;
      case 'P':
        fields.text(); // the name of the prepared statement
        asked = { ...nothing(), text: fields.text() };
        break;
      case 'B':
        asked.values = boundValues(fields);
        break;
      case 'E':
        fields.text(); // the name of the portal
        asked.reads.push(fields.int32());
        // From here on it is known what is asked; a cursor asks for more later.
        if (!asked.answer) record();
        break;
    }
  }

  function record(): void {
    const { text, values, reads } = asked;
    asked.answer = recorder.ask({ kind: 'statement', text, values, reads });
  }

  function answer(message: Buffer): void {
    const fields = new Fields(message);
    if (fields.type === 'D') asked.rows.push(rowOf(fields));
    if (fields.type !== 'Z') return;
    asked.answer?.(asked.rows);
    asked = nothing();
  }

  return {
    request(bytes) {
      for (const message of requests(bytes)) {
        // Without TLS the first message is the startup, which has no type; all later ones have.
        if (isStarted) request(message);
        isStarted = true;
      }
    },
    answer(bytes) {
      answers(bytes).forEach(answer);
    },
  };
}

function nothing(): Asked {
  return { text: '', values: undefined, reads: [], rows: [] };
}

function boundValues(fields: Fields): (string | null)[] {
  fields.text(); // the name of the portal
  fields.text(); // the name of the prepared statement
  const formats = Array.from({ length: fields.int16() }, () => fields.int16());
  if (formats.some((format) => format !== IN_TEXT)) throw new Error('a parameter is not sent as text');
  return Array.from({ length: fields.int16() }, () => fields.value());
}

function rowOf(fields: Fields): (string | null)[] {
  return Array.from({ length: fields.int16() }, () => fields.value());
}

/** Reads the fields of a message one after the other. */
class Fields {
  readonly type: string;
  private at = 5;

  constructor(private readonly message: Buffer) {
    this.type = String.fromCharCode(message.readUInt8(0));
  }

  text(): string {
    const end = this.message.indexOf(0, this.at);
    const text = this.message.toString('utf8', this.at, end);
    this.at = end + 1;
    return text;
  }

  int16(): number {
    this.at += 2;
    return this.message.readInt16BE(this.at - 2);
  }

  int32(): number {
    this.at += 4;
    return this.message.readInt32BE(this.at - 4);
  }

  value(): string | null {
    const length = this.int32();
    if (length < 0) return null;
    this.at += length;
    return this.message.toString('utf8', this.at - length, this.at);
  }
}
