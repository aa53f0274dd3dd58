import { InvalidArgumentError } from 'commander';

const FACTORS: Readonly<Record<string, number>> = { '': 1, k: 1_000, M: 1_000_000 };

/** `10k`, `1M`, `2500` */
export function parseSize(text: string): number {
  const [, digits, unit = ''] = /^([1-9]\d*)([kM]?)$/.exec(text) ?? [];
  if (digits === undefined) throw new InvalidArgumentError('A size is a number of images such as 10k or 1M.');
  return Number(digits) * (FACTORS[unit] ?? 1);
}

export function formatSize(images: number): string {
  if (images % 1_000_000 === 0) return `${images / 1_000_000}M`;
  return images % 1_000 === 0 ? `${images / 1_000}k` : String(images);
}
