import mongoose from 'mongoose';
import { Client, type CustomTypesConfig } from 'pg';
import Cursor from 'pg-cursor';
import type { Installation } from './installation';
import type {
  DuplicationScript,
  ScriptedCommand,
  ScriptedStatement,
  ScriptedStep,
} from './recording/duplication-script';
import type { Resolve } from './recording/template';
import { tokenized } from './recording/variables';

type Rows = (string | null)[][];

const { MongoClient } = mongoose.mongo;
/** As the service's own: the types of BSON as they are. */
const AS_THEY_ARE = { promoteValues: false } as const;
/** Nothing is made of what PostgreSQL answers. */
const AS_TEXT: CustomTypesConfig = { getTypeParser: () => (value: string) => value };

/** Asks for a recorded duplication again by as many connections as wanted: the drivers, and nothing of the service. */
export class BareDriver {
  private constructor(
    private readonly connections: readonly BareConnection[],
    private readonly mongo: mongoose.mongo.MongoClient | undefined,
  ) {}

  static async open(
    { databaseUrl, mongodbUri }: Installation,
    script: DuplicationScript,
    connections: number,
  ): Promise<BareDriver> {
    const mongo =
      mongodbUri === undefined
        ? undefined
        : await new MongoClient(mongodbUri, { minPoolSize: connections, maxPoolSize: connections }).connect();
    const opened = Array.from({ length: connections }, async () => {
      const postgres = new Client({ connectionString: databaseUrl });
      await postgres.connect();
      return new BareConnection(postgres, mongo, script);
    });
    return new BareDriver(await Promise.all(opened), mongo);
  }

  /** @param connection which of them; it must be idle */
  async duplicate(target: string, connection = 0): Promise<void> {
    await this.connections[connection]?.duplicate(target);
  }

  async close(): Promise<void> {
    for (const connection of this.connections) await connection.close();
    await this.mongo?.close();
  }
}

class BareConnection {
  constructor(
    private readonly postgres: Client,
    private readonly mongo: mongoose.mongo.MongoClient | undefined,
    private readonly script: DuplicationScript,
  ) {}

  /** A step waits for the answers that it had waited for, so that what went side by side still does. */
  async duplicate(target: string): Promise<void> {
    const answers: Rows[] = [];
    const resolve: Resolve = (origin) => {
      if (origin === 'target') return target;
      const { step, row, column, token } = origin;
      return tokenized(answers[step]?.[row]?.[column] ?? '').tokens[token] ?? '';
    };
    const underWay: Promise<void>[] = [];
    for (const [at, step] of this.script.steps.entries()) {
      for (const before of step.after) await underWay[before];
      underWay.push(this.take(step, resolve).then((rows) => void (answers[at] = rows)));
    }
    await Promise.all(underWay);
  }

  async close(): Promise<void> {
    await this.postgres.end();
  }

  /** @throws when the answer is not the one that was recorded */
  private async take({ request, rows }: ScriptedStep, resolve: Resolve): Promise<Rows> {
    if (request.kind === 'command') {
      await this.command(request, resolve);
      return [];
    }
    const answered = await this.statement(request, resolve);
    if (answered.length === rows) return answered;
    throw new Error(`${answered.length} rows instead of ${rows} for ${request.text(resolve)}`);
  }

  private async command({ database, document }: ScriptedCommand, resolve: Resolve): Promise<void> {
    await this.mongo?.db(database).command(document(resolve), AS_THEY_ARE);
  }

  private async statement({ text, values, reads }: ScriptedStatement, resolve: Resolve): Promise<Rows> {
    const sql = text(resolve);
    // Several statements at once answer several results, which nobody has asked for.
    if (values === undefined)
      return rowsOf(
        await this.postgres.query<(string | null)[]>({ text: sql, rowMode: 'array', types: AS_TEXT }),
      );
    const parameters = values.map((value) => value(resolve));
    const [batch] = reads;
    if (batch) return this.readByCursor(sql, parameters, reads);
    return rowsOf(
      await this.postgres.query<(string | null)[]>({
        text: sql,
        values: parameters,
        rowMode: 'array',
        types: AS_TEXT,
      }),
    );
  }

  /** Only a cursor asks for a number of rows; 0 is all. */
  private async readByCursor(
    sql: string,
    parameters: (string | null)[],
    reads: readonly number[],
  ): Promise<Rows> {
    const cursor = this.postgres.query(
      new Cursor<(string | null)[]>(sql, parameters, { rowMode: 'array', types: AS_TEXT }),
    );
    const rows: Rows = [];
    for (const batch of reads) rows.push(...(await cursor.read(batch)));
    await cursor.close();
    return rows;
  }
}

function rowsOf(result: { rows: Rows } | { rows: Rows }[]): Rows {
  return Array.isArray(result) ? result.flatMap(({ rows }) => rows) : result.rows;
}
