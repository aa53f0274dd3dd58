import { rm } from 'node:fs/promises';
import type { TestServers } from './global-setup';

export default async function globalTeardown(): Promise<void> {
  const { testServers } = globalThis as typeof globalThis & { testServers?: TestServers };
  if (!testServers) return;
  const { postgres, folder, mongod } = testServers;
  await Promise.all([postgres.stop(), mongod?.stop()]);
  await rm(folder, { recursive: true, force: true });
}
