import { cpus, totalmem } from 'node:os';
import { onMongo, onPostgres, type Servers } from './servers';

/** What the figures depend on, beside the code. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly node: string;
  readonly postgres: string;
  /** null where it was measured without. */
  readonly mongod: string | null;
}

export async function describeMachine({ postgresUrl, mongodUri }: Servers): Promise<Machine> {
  const { rows } = await onPostgres(postgresUrl, (client) =>
    client.query<{ server_version: string }>('SHOW server_version'),
  );
  const build =
    mongodUri === undefined ? undefined : await onMongo(mongodUri, (db) => db.command({ buildInfo: 1 }));
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.versions.node,
    postgres: rows[0]!.server_version, // SHOW answers one row
    mongod: build ? String(build['version']) : null,
  };
}
