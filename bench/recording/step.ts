import type mongoose from 'mongoose';

/** What PostgreSQL was asked: as text with parameters, or a script without. */
export interface Statement {
  readonly kind: 'statement';
  readonly text: string;
  /** undefined where it was sent by the simple protocol */
  readonly values: readonly (string | null)[] | undefined;
  /** Of a cursor: how many rows were asked for, each time that rows were asked for. */
  readonly reads: readonly number[];
}

/** What MongoDB was asked, without what the driver adds on its own. */
export interface Command {
  readonly kind: 'command';
  readonly database: string;
  readonly document: mongoose.mongo.Document;
}

export interface Step {
  readonly request: Statement | Command;
  /** The steps, by their place, whose answers were there before this one was sent. */
  readonly after: readonly number[];
  /** What PostgreSQL answered, as text. */
  readonly rows: readonly (readonly (string | null)[])[];
}
