// Jest, in this process, over a current build; its arguments are passed through: npm test -- --selectProjects unit
import { build } from './build.mjs';

/** What takes longer has a command of its own: npm run test:faults. */
const EVERYDAY = ['unit', 'contract', 'e2e', 'process'];

await build();
if (!process.argv.includes('--selectProjects')) process.argv.push('--selectProjects', ...EVERYDAY);
await import('../node_modules/jest/bin/jest.js');
