// Prints how the run went, as its last line, and exits with 1 unless all of it passed.
import { readFileSync } from 'node:fs';

const [reportFile, ...failedSteps] = process.argv.slice(2);
const { numPassedTests, numFailedTests, numPendingTests } = readReport();
// A step may fail without a failed test: a check, a test file that does not load.
const explained = numFailedTests > 0 ? ['test'] : [];
const failed = numFailedTests + failedSteps.filter((step) => !explained.includes(step)).length;

if (failedSteps.length > 0) console.log(`Failed: ${failedSteps.join(', ')}`);
const skipped = numPendingTests > 0 ? `, ${numPendingTests} skipped` : '';
console.log(`${numPassedTests} passed, ${failed} failed${skipped}`);
process.exitCode = failed > 0 ? 1 : 0;

/** Without a report Jest never ran, and its step is among the failed ones. */
function readReport() {
  const text = readFileSync(reportFile, 'utf8');
  return text === '' ? { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0 } : JSON.parse(text);
}
