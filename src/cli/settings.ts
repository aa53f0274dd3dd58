import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { loadEnvironment, type Environment } from '../config/environment';

/** The environment, and under it what a file `.env` in this folder says. */
export function readSettings(): Environment {
  const file = existsSync('.env') ? parseEnv(readFileSync('.env', 'utf8')) : {};
  return loadEnvironment({ ...file, ...process.env });
}
