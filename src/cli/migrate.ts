import type { Environment } from '../config/environment';
import { connectDatabase } from '../database/connect';
import { EmbeddedPostgres } from '../database/embedded/embedded-postgres';

/** Brings the tables up to date, for nodes that start with MIGRATIONS_RUN=false. */
export async function migrate({ databaseUrl, dataDir }: Environment): Promise<void> {
  const embedded = databaseUrl === undefined ? await EmbeddedPostgres.start({ dataDir }) : undefined;
  try {
    const dataSource = await connectDatabase(embedded?.url ?? databaseUrl!, true); // one of the two is there
    await dataSource.destroy();
    console.log('The tables are up to date.');
  } finally {
    await embedded?.stop();
  }
}
