import { spawnSync } from 'node:child_process';
import { chromium, type Browser } from 'playwright-core';

/** The Chromium of this machine; undefined where it has none. */
export function findChromium(): string | undefined {
  const names = [process.env['CHROMIUM_BINARY'] ?? '', 'chromium', 'google-chrome'];
  return names.map(onPath).find((binary) => binary !== '');
}

function onPath(name: string): string {
  return spawnSync('sh', ['-c', 'command -v -- "$1"', 'sh', name], { encoding: 'utf8' }).stdout.trim();
}

export function openBrowser(executablePath: string): Promise<Browser> {
  // Chromium's sandbox does not work for root.
  return chromium.launch({ executablePath, chromiumSandbox: process.getuid?.() !== 0 });
}
