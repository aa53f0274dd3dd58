// Prints how the run went, as its last line, and exits with 1 unless all of it passed.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const [folder, ...failedSteps] = process.argv.slice(2);
/** By the step that Jest ran in; one without a report never ran. */
const reports = new Map(
  readdirSync(folder).map((file) => [
    path.basename(file, '.json'),
    JSON.parse(readFileSync(path.join(folder, file), 'utf8')),
  ]),
);

const total = (count) => [...reports.values()].reduce((sum, report) => sum + report[count], 0);
// A step may fail without a failed test: a check, a test file that does not load.
const unexplained = failedSteps.filter((step) => !(reports.get(step)?.numFailedTests > 0));
const failed = total('numFailedTests') + unexplained.length;

if (failedSteps.length > 0) console.log(`Failed: ${failedSteps.join(', ')}`);
const skipped = total('numPendingTests') > 0 ? `, ${total('numPendingTests')} skipped` : '';
console.log(`${total('numPassedTests')} passed, ${failed} failed${skipped}`);
process.exitCode = failed > 0 ? 1 : 0;
