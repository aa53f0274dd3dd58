import { readdir, readFile } from 'node:fs/promises';

/** What Linux counts in, on every architecture that Node runs on (sysconf(_SC_CLK_TCK)). */
const TICKS_PER_S = 100;
/** Where they stand behind the name of the program: proc(5). */
const [PARENT, TIMES_FROM, TIMES_TO] = [1, 11, 15];

/** @returns core seconds that a process and its children have used, those that have ended too; NaN where nobody tells */
export async function cpuSeconds(pid: number): Promise<number> {
  if (process.platform !== 'linux') return NaN;
  const own = await stat(String(pid));
  const others = await Promise.all((await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(stat));
  const children = others.filter((fields) => Number(fields?.[PARENT]) === pid);
  return [own, ...children].reduce((sum, fields) => sum + ticks(fields), 0) / TICKS_PER_S;
}

function ticks(fields: readonly string[] | undefined): number {
  if (!fields) return NaN;
  return fields.slice(TIMES_FROM, TIMES_TO).reduce((sum, field) => sum + Number(field), 0);
}

/** @returns undefined of a process that has ended meanwhile */
async function stat(pid: string): Promise<string[] | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch((fault: unknown) => {
    if (['ENOENT', 'ESRCH'].includes((fault as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw fault;
  });
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}
