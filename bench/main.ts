import 'reflect-metadata';
import { Command, InvalidArgumentError, Option } from 'commander';
import { isQuickRunGood } from './judgement';
import { jobs, type Order } from './jobs';
import { withDerived } from './derived';
import { MODES } from './mode';
import { availableModes } from './available-modes';
import { record } from './record';
import { run } from './run';
import { SCENARIOS } from './scenarios';
import { parseSize } from './size';
import { resultTable } from './table';
import { version } from './version';

interface Options extends Omit<Order, 'runs' | 'isQuick'> {
  readonly runs?: number;
  readonly quick?: true;
  readonly report?: string;
  readonly record: boolean;
}

const NAMES = SCENARIOS.map(({ name }) => name);
const HELP = `
Scenarios:
${SCENARIOS.map(({ name, about }) => `  ${name.padEnd(12)} ${about}`).join('\n')}

It brings its own servers with throwaway data, which take some gigabytes for a million images, and needs no settings.

Examples:
  npm run bench -- --size 100k --mode mongo --only copy --no-record
  FIFTYONE_PYTHON=…/bin/python npm run bench -- --size 10k,100k,1M   # all that docs/performance.md shows; an hour`;

/** Ends the process with 1 where something fails, or --quick finds something that is much too slow. */
async function main(): Promise<void> {
  const program = new Command('npm run bench --')
    .description('Measures the service beside the least that its databases can do.')
    .addOption(list('--size <images>', 'a comma list of task sizes', [10_000, 100_000], parseSize))
    .addOption(list('--mode <modes>', 'where the documents are', [...MODES], oneOf(MODES)))
    .addOption(list('--only <scenarios>', 'a comma list of scenarios', NAMES, oneOf(NAMES)))
    .option(
      '--runs <count>',
      'the median is of so many (default: 3, and 1 from 1M on, but of answers 3)',
      parseCount,
    )
    .option('--no-record', 'leave bench/history.jsonl and docs/performance.md as they are')
    .option('--quick', 'small sizes, compared with what is recorded; records nothing')
    .option('--report <file>', 'where --quick writes how it went, in the form of a report of Jest')
    .addHelpText('after', HELP)
    .showHelpAfterError('(--help says more)')
    .parse();
  const { runs, quick: isQuick = false, report, record: isRecorded, ...options } = program.opts<Options>();

  const modes = await availableModes(options.mode);
  const sources = isRecorded && !isQuick ? await version() : undefined;
  const measured = await run(jobs({ ...options, mode: modes, runs, isQuick }));
  console.log(resultTable(withDerived(measured.figures)));
  if (sources && measured.figures.length > 0) await record(sources, measured);
  if (measured.fault !== undefined) throw measured.fault;
  if (isQuick) process.exitCode = (await isQuickRunGood(measured.figures, options.mode, report)) ? 0 : 1;
}

function list<T>(flags: string, about: string, all: T[], parse: (text: string) => T): Option {
  return new Option(flags, about).default(all, all.join()).argParser((text) => text.split(',').map(parse));
}

function oneOf<T extends string>(names: readonly T[]): (text: string) => T {
  return (text) => {
    const name = names.find((each) => each === text);
    if (name === undefined) throw new InvalidArgumentError(`It is one of ${names.join(', ')}.`);
    return name;
  };
}

function parseCount(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('It is a number from 1 on.');
  return Number(text);
}

main().catch((fault: unknown) => {
  console.error(fault);
  // What failed may have left a connection open.
  process.exit(1);
});
