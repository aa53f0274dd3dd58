// Prints how the run went, as its last line, and exits with 1 unless all of it passed.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const REASON_LINES_MAX = 30;

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

// The reason stands by the result: what is kept of a long log may be its end alone.
for (const { step, file, title, reason } of failures())
  console.log(`\n${step}: ${file}\n  ${title}\n${reason}`);
if (failedSteps.length > 0) console.log(`\nFailed: ${failedSteps.join(', ')}`);
const skipped = total('numPendingTests') > 0 ? `, ${total('numPendingTests')} skipped` : '';
console.log(`${total('numPassedTests')} passed, ${failed} failed${skipped}`);
process.exitCode = failed > 0 ? 1 : 0;

function* failures() {
  for (const [step, { testResults = [] }] of reports)
    for (const { name, assertionResults, message } of testResults) {
      const file = path.relative(process.cwd(), name ?? '');
      const tests = assertionResults.filter(({ status }) => status === 'failed');
      for (const { fullName, failureMessages } of tests)
        yield { step, file, title: fullName, reason: firstLines(failureMessages.join('\n')) };
      if (tests.length === 0 && message)
        yield { step, file, title: 'did not run', reason: firstLines(message) };
    }
}

function firstLines(text) {
  return stripVTControlCharacters(text)
    .split('\n')
    .slice(0, REASON_LINES_MAX)
    .map((line) => `    ${line}`)
    .join('\n');
}
