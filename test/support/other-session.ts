import { Client } from 'pg';
import type { TestApp } from './test-app';

/** A session beside the service's own, as another node or an operator would have. Closed at the end of `work`. */
export async function inOtherSession<T>(app: TestApp, work: (session: Client) => Promise<T>): Promise<T> {
  const session = new Client({ connectionString: app.databaseUrl });
  await session.connect();
  try {
    return await work(session);
  } finally {
    await session.end();
  }
}
