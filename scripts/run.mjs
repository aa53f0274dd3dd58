// The command line of the service, in this process, so that a signal reaches it once. It parses on Node 12 and imports
// only after the check: who has an old Node shall read one sentence, not a stack trace.
const [major, minor] = process.versions.node.split('.').map(Number);
const supported = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22;

if (supported) {
  run();
} else {
  console.error(
    `Node.js ${process.versions.node} is too old or unsupported: install Node.js 24, 22.12 or newer, or 20.19 or newer.`,
  );
  process.exitCode = 1;
}

async function run() {
  const { existsSync } = await import('node:fs');
  if (existsSync(new URL('../node_modules', import.meta.url))) {
    const { build } = await import('./build.mjs');
    await build();
    await import('../dist/src/main.js');
  } else {
    console.error('The dependencies are not installed: run npm ci first.');
    process.exitCode = 1;
  }
}
