const { availableParallelism } = require('node:os');

// `unit` needs nothing; the others share one PostgreSQL and one MongoDB that globalSetup starts. `process` runs what is
// in dist, which scripts/test.mjs builds.
const base = {
  testEnvironment: 'node',
  // Nest 12 is ESM only; Jest 30 cannot require() ES modules, so Nest is transformed like our own code.
  transform: { '\\.[jt]s$': '@swc/jest' },
  // And Jest cannot import() them: so MongoDB's driver would not find `os`, and no server would have it for a client
  // (https://github.com/typegoose/mongodb-memory-server/issues/1026).
  transformIgnorePatterns: ['/node_modules/(?!@nestjs/|mongodb/lib/runtime_adapters)'],
};
const server = {
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
};

module.exports = {
  testTimeout: 60_000,
  // Jest would leave one core of two idle; over four the test apps would want more connections than the server has.
  maxWorkers: Math.min(availableParallelism(), 4),
  projects: [
    { ...base, displayName: 'unit', testMatch: ['<rootDir>/src/**/*.spec.ts'] },
    { ...base, ...server, displayName: 'contract', testMatch: ['<rootDir>/test/contract/**/*.spec.ts'] },
    { ...base, ...server, displayName: 'e2e', testMatch: ['<rootDir>/test/e2e/**/*.spec.ts'] },
    { ...base, ...server, displayName: 'faults', testMatch: ['<rootDir>/test/faults/**/*.spec.ts'] },
    { ...base, ...server, displayName: 'process', testMatch: ['<rootDir>/test/process/**/*.spec.ts'] },
  ],
};
