// The benchmarks, over a current build of the service: npm run bench -- --help
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { build } from './build.mjs';

const ROOT = path.resolve(import.meta.dirname, '..');
const TSC = 'node_modules/typescript/bin/tsc';
const COMPILED = '../node_modules/.cache/training-tasks/bench/bench/main.js';

// The programs of the benchmarks find the project where they are started.
process.chdir(ROOT);
await build();
// Outside of dist, which has what is shipped; types are checked by npm run check.
const { status } = spawnSync(process.execPath, [TSC, '--project', 'tsconfig.bench.json', '--noCheck'], {
  stdio: ['ignore', 2, 2],
});
if (status === 0) await import(COMPILED);
else process.exitCode = 1;
