// Everything that is checked before a change is handed over; each failure is told with the command that mends it.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { performance } from 'node:perf_hooks';

const ROOT = path.resolve(import.meta.dirname, '..');
const PRETTIER = 'node_modules/prettier/bin/prettier.cjs';
const ESLINT = 'node_modules/eslint/bin/eslint.js';
const TSC = 'node_modules/typescript/bin/tsc';
const KNIP = 'node_modules/knip/bin/knip.js';

const STEPS = [
  { name: 'format', script: [PRETTIER, '--check', '.'], mend: 'npm run format' },
  {
    name: 'lint',
    script: [ESLINT, '.', '--max-warnings', '0'],
    mend: 'npx eslint . --fix, the rest by hand',
  },
  { name: 'types', script: [TSC, '--noEmit'], mend: 'by hand, then npx tsc --noEmit' },
  // The steps after it run what it makes.
  { name: 'build', script: ['scripts/build.mjs'], mend: 'by hand, then npm run build', required: true },
  // After the build, because the scripts use what it makes.
  { name: 'dead code', script: [KNIP, '--no-progress'], mend: 'by hand or npx knip --fix, then npx knip' },
  { name: 'openapi.json', script: ['scripts/openapi.mjs', '--check'], mend: 'npm run openapi' },
  { name: 'docs/errors.md', script: ['scripts/errors-doc.mjs', '--check'], mend: 'npm run errors-doc' },
  {
    name: 'migrations',
    script: ['scripts/migrations.mjs', '--check'],
    mend: 'a migration where one is missing, then npm run schema',
  },
  {
    name: 'unit and contract tests',
    script: ['scripts/test.mjs', '--selectProjects', 'unit', 'contract'],
    mend: 'by hand, then npm test -- --selectProjects unit contract',
  },
];

for (const step of STEPS) {
  const startedAt = performance.now();
  const { passed, output } = await run(step.script);
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  console.log(`${passed ? 'ok    ' : 'FAILED'} ${step.name} (${seconds} s)`);
  if (passed) continue;
  process.exitCode = 1;
  console.log(`${output.trimEnd()}\n→ mend it: ${step.mend}\n`);
  if (step.required) break;
}

function run(script) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, script, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    }
    child.on('error', reject);
    child.on('close', (code) => resolve({ passed: code === 0, output }));
  });
}
