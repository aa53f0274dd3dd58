// Jest, in this process, over a current build; its arguments are passed through: npm test -- --selectProjects unit
import { build } from './build.mjs';

await build();
await import('../node_modules/jest/bin/jest.js');
