import { rm } from 'node:fs/promises';
import type { TestServer } from './global-setup';

export default async function globalTeardown(): Promise<void> {
  const { testServer } = globalThis as typeof globalThis & { testServer?: TestServer };
  await testServer?.postgres.stop();
  if (testServer) await rm(testServer.folder, { recursive: true, force: true });
}
