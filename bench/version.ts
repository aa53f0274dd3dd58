import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const git = (...args: string[]): Promise<string> =>
  promisify(execFile)('git', args).then(({ stdout }) => stdout.trim());

/** What is measured. */
export interface Version {
  readonly commit: string;
  /** Sources were changed since that commit. */
  readonly isDirty: boolean;
}

/** What the service is made of, and what measures it; not what the benchmarks write. */
const SOURCES = [
  'src',
  'ormconfig.ts',
  'tsconfig*.json',
  'package.json',
  'package-lock.json',
  'bench/*.ts',
  'bench/*.py',
];

/** Asked for at the beginning: while something is measured for an hour, somebody may go on working. */
export async function version(): Promise<Version> {
  return {
    commit: await git('rev-parse', '--short', 'HEAD'),
    isDirty: (await git('status', '--porcelain', '--', ...SOURCES)) !== '',
  };
}
