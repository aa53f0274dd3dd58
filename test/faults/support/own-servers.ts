import { mkdtemp, rm, symlink, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connectDatabase } from '../../../src/database/connect';
import { EmbeddedPostgres } from '../../../src/database/embedded/embedded-postgres';
import { serverProcess } from '../../process/support/database';

/** A PostgreSQL that a test may kill and start again over the same data, under the same address; it keeps what it commits. */
export class OwnPostgres {
  /** Of a database with our tables. */
  readonly url: string;

  private constructor(
    private readonly data: string,
    /** Each start has a socket folder of its own: this one leads to the present one. */
    private readonly sockets: string,
    private server: EmbeddedPostgres,
  ) {
    this.url = `postgresql://postgres@${encodeURIComponent(sockets)}:5432/postgres?sslmode=disable`;
  }

  static async start(): Promise<OwnPostgres> {
    const data = await mkdtemp(path.join(tmpdir(), 'training-tasks-own-postgres-'));
    const postgres = new OwnPostgres(data, `${data}-sockets`, await launch(data));
    await postgres.link();
    const dataSource = await connectDatabase(postgres.url, true);
    await dataSource.destroy();
    return postgres;
  }

  /** SIGKILL; resolves when it has gone. */
  async kill(): Promise<void> {
    process.kill(serverProcess(this.data), 'SIGKILL');
    await this.server.exited;
  }

  /** On the same data, after a kill; resolves when it takes connections. */
  async restart(): Promise<void> {
    this.server = await launch(this.data);
    await unlink(this.sockets);
    await this.link();
  }

  async stop(): Promise<void> {
    await this.server.stop();
    await unlink(this.sockets);
    await rm(this.data, { recursive: true, force: true, maxRetries: 20 });
  }

  private link(): Promise<void> {
    return symlink(decodeURIComponent(new URL(this.server.url).hostname), this.sockets);
  }
}

function launch(dataDir: string): Promise<EmbeddedPostgres> {
  return EmbeddedPostgres.start({ dataDir, durable: true });
}
