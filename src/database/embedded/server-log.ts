import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { Logger } from '@nestjs/common';

const LINES_KEPT = 20;

/**
 * Reads what the server writes: keeps the last lines to explain an end, and passes warnings and worse on to the log of
 * the service. Not the errors of a connection: they are the answers to our own statements, and may quote their values.
 */
export class ServerLog {
  /** Makes a line `<SQLSTATE> [<kind of process>] <SEVERITY>:  <message>`, without the details, which may hold rows of the data. */
  static readonly SETTINGS = {
    log_line_prefix: '%e [%b] ',
    log_error_verbosity: 'terse',
    log_min_error_statement: 'panic',
  };

  /** On while the server runs; what it says when it cannot start goes into the error, and farewells interest nobody. */
  forwarding = false;
  private readonly logger = new Logger('PostgreSQL');
  private readonly lines: string[] = [];

  constructor(stderr: Readable) {
    createInterface(stderr).on('line', (line) => this.take(line));
  }

  /** What the last FATAL or PANIC line says, else the last line. */
  get lastWords(): string {
    const entries = this.lines.map(parse);
    const fatal = entries.findLast(({ severity }) => severity === 'FATAL' || severity === 'PANIC');
    return (fatal ?? entries.at(-1))?.message ?? 'it left no message';
  }

  has(sqlState: string): boolean {
    return this.lines.some((line) => parse(line).sqlState === sqlState);
  }

  private take(line: string): void {
    this.lines.push(line);
    if (this.lines.length > LINES_KEPT) this.lines.shift();
    if (!this.forwarding) return;
    const { process, severity, message } = parse(line);
    const isAnswer = process === 'client backend' && severity !== 'PANIC';
    if (severity === 'WARNING') this.logger.warn(`${severity}: ${message}`);
    if (['ERROR', 'FATAL', 'PANIC'].includes(severity) && !isAnswer)
      this.logger.error(`${severity}: ${message}`);
  }
}

interface Entry {
  readonly sqlState: string;
  readonly process: string;
  readonly severity: string;
  readonly message: string;
}

function parse(line: string): Entry {
  const match = /^(\w{5}) \[(.*?)\] ([A-Z]+): +(.*)$/.exec(line);
  const [, sqlState = '', process = '', severity = '', message = line] = match ?? [];
  return { sqlState, process, severity, message };
}
