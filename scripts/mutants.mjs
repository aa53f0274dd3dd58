// Takes one safeguard out at a time, in a copy of the tree, and runs the tests that must notice. npm run test:mutants
// [name …]. A mutant that survives is a hole in the tests; one that can't be made is a change this file has not seen.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';

const ROOT = path.resolve(import.meta.dirname, '..');

/** `edits` are texts that stand in their file exactly once; `tests` what jest is told to run. */
const MUTANTS = [
  {
    name: 'lock',
    why: 'two writes of one task at once',
    edits: [['src/tasks/locked-connection.ts', 'return row?.free === true;', 'return row !== undefined;']],
    tests: ['e2e', 'test/e2e/duplication'],
  },
  {
    name: 'source-lock',
    why: 'a source is copied while it is filled',
    edits: [
      [
        'src/tasks/duplication/duplication.service.ts',
        'if (!(await locked.tryShare(source)))',
        'if (!locked.connection && !(await locked.tryShare(source)))',
      ],
    ],
    tests: ['e2e', 'test/e2e/duplication'],
  },
  {
    name: 'garbage-record',
    why: 'documents that nobody knows of',
    edits: [
      [
        'src/tasks/duplication/attempt.repository.ts',
        "documents && (await this.garbage.announce(manager, target, documents, 'copy', id))",
        'documents && this.garbage ? null : null',
      ],
    ],
    tests: ['faults', 'test/faults/every-step.duplication', '-t', 'MongoDB.*cut before'],
  },
  {
    name: 'documents-before-commit',
    why: 'pointers to documents that are not there yet',
    edits: [
      [
        'src/tasks/duplication/duplication.service.ts',
        'const documents = await this.labeledImages.copy(manager, plan, labelClasses, rows);',
        'const slices: CopySlice[] = []; for await (const slice of rows) slices.push(slice); const documents = plan.documentCount; this.later = () => this.labeledImages.copy(manager, plan, labelClasses, (async function* () { yield* slices; })());',
      ],
      [
        'src/tasks/duplication/duplication.service.ts',
        "      this.log(plan, { attemptId: attempt.id, outcome: 'done'",
        "      await this.later?.();\n      this.log(plan, { attemptId: attempt.id, outcome: 'done'",
      ],
      [
        'src/tasks/duplication/duplication.service.ts',
        'private readonly logger = new Logger(DuplicationService.name);',
        'private readonly logger = new Logger(DuplicationService.name);\n  private later: (() => Promise<number>) | undefined;',
      ],
    ],
    tests: ['faults', 'test/faults/every-step.duplication', '-t', 'MongoDB.*cut before'],
  },
  {
    name: 'replay-check',
    why: 'a duplication that is done is done again',
    edits: [
      [
        'src/tasks/duplication/attempt.repository.ts',
        "if (attempt?.state !== 'done') return false;",
        "if (attempt?.state !== 'done' || attempt.sourceTaskId === source) return false;",
      ],
    ],
    tests: ['faults', 'test/faults/every-step.duplication', '-t', 'PostgreSQL.*cut before'],
  },
  {
    name: 'majority',
    why: 'documents that a crash of mongod takes back',
    edits: [
      [
        'src/labeled-images/mongoose/mongo-settings.ts',
        "{ w: 'majority', j: true, wtimeoutMS: 10_000 }",
        '{ w: 1, j: false, wtimeoutMS: 10_000 }',
      ],
    ],
    tests: ['faults', 'test/faults/servers'],
  },
  {
    name: 'snapshot',
    why: 'a copy of two versions of its source',
    edits: [['src/tasks/duplication/duplication.service.ts', "'REPEATABLE READ',", "'READ COMMITTED',"]],
    tests: ['e2e', 'test/e2e/sweeper', '-t', 'may be deleted'],
  },
  {
    name: 'sweep-beside-readers',
    why: 'documents are swept that a copy on an older snapshot still reads',
    edits: [
      [
        'src/labeled-images/document-garbage.repository.ts',
        'return row!.out_of_sight;',
        'return row !== undefined;',
      ],
    ],
    tests: ['e2e', 'test/e2e/sweeper'],
  },
  {
    name: 'sweep-beside-writers',
    why: 'a write that runs is taken for dead',
    edits: [
      [
        'src/tasks/sweeper.ts',
        'await this.lock.holdIfFree(taskId, ({ connection }) => this.giveUp(connection, taskId))',
        'await this.lock.isHeld(taskId).then(() => this.giveUp(this.dataSource.createQueryRunner(), taskId)).then(() => true)',
      ],
    ],
    tests: ['e2e', 'test/e2e/sweeper', '-t', 'a write that runs'],
  },
  {
    name: 'outcome-of-commit',
    why: 'a copy that was committed is called failed',
    edits: [
      [
        'src/tasks/locked-connection.ts',
        'if (!(await hasCommitted(this.current.manager))) throw error;',
        'if (!(await hasCommitted(this.current.manager)) || error) throw error;',
      ],
    ],
    tests: ['faults', 'test/faults/lost-commit'],
  },
  {
    name: 'heartbeat',
    why: 'the server ends the transaction of a copy that writes documents for long',
    edits: [['src/database/heartbeat.ts', 'const BEAT_MS = 3_000;', 'const BEAT_MS = 3_000_000;']],
    tests: ['faults', 'test/faults/stalls'],
  },
  {
    name: 'unknown-class',
    why: 'a class that the task does not have becomes another one',
    edits: [
      [
        'src/labeled-images/mongoose/copy-pipeline.ts',
        '{ lab_class_id: { $nin: classIds } }',
        '{ lab_class_id: { $nin: classIds, $in: [] } }',
      ],
    ],
    tests: ['contract', 'test/contract/mongoose'],
  },
  {
    name: 'class-in-a-list',
    why: 'a list of a class is taken for the class',
    edits: [
      [
        'src/labeled-images/mongoose/copy-pipeline.ts',
        "{ lab_class_id: { $type: 'array' } }",
        "{ lab_class_id: { $type: 'regex' } }",
      ],
    ],
    tests: ['contract', 'test/contract/mongoose'],
  },
  {
    name: 'class-between',
    why: 'a class that the task does not have, between those it has, becomes class 0',
    edits: [
      [
        'src/labeled-images/postgres/document-copy.ts',
        '`nullif(($11::int[])[${id}], 0)`',
        '`($11::int[])[${id}]`',
      ],
    ],
    tests: ['contract', 'test/contract/postgres'],
  },
  {
    name: 'roi-limit',
    why: 'every image is compared with every ROI',
    edits: [['src/images/image.repository.ts', '    LIMIT 1\n  ) AS roi ON true`', '  ) AS roi ON true`']],
    tests: ['e2e', 'test/e2e/query-plans'],
  },
  {
    name: 'full-join',
    why: 'the documents of a slice are looked up one by one',
    edits: [['src/labeled-images/postgres/document-copy.ts', '       FULL JOIN (', '       JOIN (']],
    tests: ['e2e', 'test/e2e/query-plans'],
  },
];

const wanted = process.argv.slice(2);
const chosen = MUTANTS.filter(
  ({ name, edits }) => edits.length > 0 && (wanted.length === 0 || wanted.includes(name)),
);
const known = MUTANTS.map(({ name }) => name);
if (process.argv.includes('--help') || wanted.some((name) => !known.includes(name))) {
  console.log(
    `npm run test:mutants [-- name …]\n\n${MUTANTS.map(({ name, why }) => `  ${name}: ${why}`).join('\n')}`,
  );
  process.exit(process.argv.includes('--help') ? 0 : 2);
}

const verdicts = chosen.map((mutant) => {
  const startedAt = performance.now();
  const verdict = judge(mutant);
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
  console.log(`${verdict.padEnd(9)} ${mutant.name}: ${mutant.why} (${seconds} s)`);
  return verdict;
});
const killed = verdicts.filter((verdict) => verdict === 'killed').length;
console.log(`${killed} of ${chosen.length} mutants killed`);
process.exitCode = killed === chosen.length ? 0 : 1;

/** killed: tests failed; survived: all passed; broken: it could not be made, built or tested. */
function judge({ edits, tests }) {
  const folder = mkdtempSync(path.join(tmpdir(), 'training-tasks-mutant-'));
  try {
    copyTree(folder);
    for (const [file, text, replacement] of edits) {
      if (!edit(path.join(folder, file), text, replacement)) return 'broken';
    }
    return run(folder, tests);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function copyTree(folder) {
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
    cwd: ROOT,
  });
  for (const file of files.toString().split('\0').filter(Boolean)) {
    cpSync(path.join(ROOT, file), path.join(folder, file), { recursive: true });
  }
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
}

function edit(file, text, replacement) {
  const before = readFileSync(file, 'utf8');
  if (before.split(text).length !== 2) {
    console.log(`not there exactly once in ${file}: ${text}`);
    return false;
  }
  writeFileSync(
    file,
    before.replace(text, () => replacement),
  );
  return true;
}

function run(folder, [project, ...patterns]) {
  const report = path.join(folder, 'report.json');
  const args = ['--json', '--outputFile', report, '--runInBand', '--selectProjects', project];
  const { stdout, stderr } = spawnSync(process.execPath, ['scripts/test.mjs', ...patterns, ...args], {
    cwd: folder,
  });
  try {
    const { numFailedTests, numPassedTests } = JSON.parse(readFileSync(report, 'utf8'));
    if (numFailedTests > 0) return 'killed';
    if (numPassedTests > 0) return 'survived';
  } catch {
    // Without a report, nothing ran: below.
  }
  console.log(`${String(stdout)}\n${String(stderr)}`);
  return 'broken';
}
