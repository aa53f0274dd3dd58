// A committed file that is made from the code: written, or with --check compared.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '..');

/** @param mend the command that makes the file current, told where it is not */
export function keepGenerated(name, content, mend) {
  const file = path.join(ROOT, name);
  const committed = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  if (committed === content) return;
  if (process.argv.includes('--check')) {
    console.error(`${name} is not what the code makes; run ${mend} and commit it.`);
    if (committed !== undefined) showDifference(file, content);
    process.exitCode = 1;
  } else {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
    console.log(`${name} written.`);
  }
}

function showDifference(file, content) {
  const args = ['diff', '--no-index', '--no-color', '--unified=1', '--', file, '-'];
  spawnSync('git', args, { input: content, stdio: ['pipe', 2, 2] });
}
