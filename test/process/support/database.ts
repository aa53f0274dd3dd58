import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { createDatabase, TEMPLATE } from '../../support/test-database';
import { eventually } from '../../support/eventually';
import { atCleanUp } from './program';

/** A database of its own on the server that all tests share, with or without tables: external to the service. */
export function externalDatabase({ migrated = true } = {}): Promise<string> {
  return createDatabase(`process_${randomBytes(6).toString('hex')}`, migrated ? TEMPLATE : 'template0');
}

/** Where the embedded server of this folder listens: in PostgreSQL's own lock file. */
export function embeddedDatabase(dataDir: string): string {
  const folder = lockLines(dataDir)[4]!;
  return `postgresql://postgres@${encodeURIComponent(folder)}:5432/postgres?sslmode=disable`;
}

/** The process that serves this folder, or did. */
export function serverProcess(dataDir: string): number {
  return Number(lockLines(dataDir)[0]);
}

/** Every process of a server of this folder: each works in its data directory. */
export function serverProcesses(dataDir: string): number[] {
  if (process.platform !== 'linux') return isRunning(serverProcess(dataDir)) ? [serverProcess(dataDir)] : [];
  const cluster = path.join(dataDir, 'postgresql');
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && workingFolder(name) === cluster)
    .map(Number);
}

function workingFolder(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined; // it has ended meanwhile, or is a kernel thread
  }
}

export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (fault) {
    return (fault as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function lockLines(dataDir: string): string[] {
  return readFileSync(path.join(dataDir, 'postgresql/postmaster.pid'), 'utf8').split('\n');
}

export async function query<Row extends object>(url: string, sql: string): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Takes the locks of tasks as another node does that writes them. @returns how to let them go */
export async function lockTasks(url: string, ...tasks: string[]): Promise<() => Promise<void>> {
  const client = new Client({ connectionString: url });
  await client.connect();
  atCleanUp(() => client.end());
  for (const task of tasks) await client.query('SELECT pg_advisory_lock($1::bigint)', [task]);
  return () => client.end();
}

/** Holds up, in the database, whoever comes to write images: every copy and import, in the middle of its transaction. */
export class HeldWrites {
  private constructor(
    private readonly client: Client,
    private readonly table: string,
  ) {}

  static async in(
    url: string,
    table = 'image',
    mode: 'EXCLUSIVE' | 'ACCESS EXCLUSIVE' = 'EXCLUSIVE',
  ): Promise<HeldWrites> {
    const client = new Client({ connectionString: url });
    // The server may go first.
    client.on('error', () => undefined);
    await client.connect();
    atCleanUp(() => client.end());
    await client.query(`BEGIN; LOCK TABLE ${table} IN ${mode} MODE`);
    return new HeldWrites(client, table);
  }

  /** Waits until so many have come to where they are held up. */
  async arrived(count = 1): Promise<void> {
    await eventually('a write waits for the table', async () => {
      const { rowCount } = await this.client.query(
        `SELECT FROM pg_locks WHERE relation = '${this.table}'::regclass AND NOT granted`,
      );
      return rowCount === count;
    });
  }

  async release(): Promise<void> {
    await this.client.end();
  }
}

/** A start makes one right before it starts its server. */
export function socketFolders(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith('training-tasks-sockets-'));
}
