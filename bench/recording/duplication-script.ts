import type { Step } from './step';
import { textTemplate, valueTemplate, type Resolve, type Template } from './template';
import { Origins, tokenized, type Cell } from './variables';
import type mongoose from 'mongoose';

export interface ScriptedStatement {
  readonly kind: 'statement';
  readonly text: Template<string>;
  readonly values: readonly Template<string | null>[] | undefined;
  readonly reads: readonly number[];
}

export interface ScriptedCommand {
  readonly kind: 'command';
  readonly database: string;
  readonly document: (resolve: Resolve) => mongoose.mongo.Document;
}

export interface ScriptedStep {
  readonly request: ScriptedStatement | ScriptedCommand;
  readonly after: readonly number[];
  /** How many rows PostgreSQL answered: a replay that gets another number does something else. */
  readonly rows: number;
}

/** All that one duplication asks of the databases, to be asked again with other ids. */
export interface DuplicationScript {
  readonly steps: readonly ScriptedStep[];
}

export interface Recording {
  readonly target: string;
  readonly steps: readonly Step[];
}

/**
 * Two duplications of one source differ only in the ids that are new; each is the target's, or one that PostgreSQL has
 * answered, or as far from one of these in both. So nothing has to be known of what the service asks.
 * @throws where that is not so
 */
export function duplicationScript(first: Recording, second: Recording): DuplicationScript {
  if (first.steps.length !== second.steps.length)
    throw new Error('two duplications take another number of steps');
  const origins = new Origins();
  origins.add('target', [first.target, second.target]);
  const steps = first.steps.map((step, at) => {
    const twin = second.steps[at]!; // there are as many
    const scripted = { request: scriptedRequest(step.request, twin.request, origins), after: step.after };
    addAnswers(origins, at, step.rows, twin.rows);
    return { ...scripted, rows: step.rows.length };
  });
  return { steps };
}

function scriptedRequest(
  first: Step['request'],
  second: Step['request'],
  origins: Origins,
): ScriptedStep['request'] {
  if (first.kind === 'statement' && second.kind === 'statement') {
    const values = first.values?.map((value, at) => nullable(value, second.values?.[at] ?? null, origins));
    const { kind, reads } = first;
    return { kind, text: textTemplate(first.text, second.text, origins), values, reads };
  }
  if (first.kind === 'command' && second.kind === 'command') {
    const document = valueTemplate(first.document, second.document, origins);
    const { kind, database } = first;
    return { kind, database, document: (resolve) => document(resolve) as mongoose.mongo.Document };
  }
  throw new Error('two duplications ask the databases in another order');
}

function nullable(first: string | null, second: string | null, origins: Origins): Template<string | null> {
  if (first === null && second === null) return () => null;
  return textTemplate(String(first), String(second), origins);
}

function addAnswers(origins: Origins, step: number, first: Step['rows'], second: Step['rows']): void {
  for (const [row, values] of first.entries()) {
    for (const [column, value] of values.entries()) {
      const [one, other] = [tokenized(value ?? ''), tokenized(second[row]?.[column] ?? '')];
      if (one.tokens.length !== other.tokens.length) continue;
      for (const [token, text] of one.tokens.entries()) {
        const cell: Cell = { step, row, column, token };
        origins.add(cell, [text, other.tokens[token]!]); // there are as many
      }
    }
  }
}
