import { readFile, writeFile } from 'node:fs/promises';

const KB_PER_MB = 1_024;
/** proc(5): resets the peak to what is resident now. */
const RESET_PEAK = '5';

/** Only Linux tells the peak of another process, and lets it be reset; elsewhere these figures are missing. */
export const CAN_MEASURE_MEMORY = process.platform === 'linux';

export async function resetPeak(pid: number): Promise<void> {
  if (CAN_MEASURE_MEMORY) await writeFile(`/proc/${pid}/clear_refs`, RESET_PEAK);
}

/** In MB, since the last reset; NaN where it cannot be measured. */
export function peakMb(pid: number): Promise<number> {
  return read(pid, 'VmHWM');
}

/** In MB, now; NaN where it cannot be measured. */
export function residentMb(pid: number): Promise<number> {
  return read(pid, 'VmRSS');
}

async function read(pid: number, name: string): Promise<number> {
  if (!CAN_MEASURE_MEMORY) return NaN;
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const [, kb] = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status) ?? [];
  return Number(kb) / KB_PER_MB;
}
