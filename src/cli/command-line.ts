import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { StartError } from '../config/start-error';
import { duplicate } from './duplicate';
import { exportCoco } from './export-coco';
import { importCoco } from './import-coco';
import { isCutOff, ServiceError, ServiceUnreachable } from './service-client';
import { readSettings } from './settings';
import { NotVerified, verify } from './verify';

/** For scripts; `--help` says the same. */
const EXIT = { failed: 1, usage: 2, unreachable: 3, refused: 4, serviceFailed: 5, notVerified: 6 } as const;

const EXIT_CODES = `
Exit codes:
  0  done
  1  it could not start, or something unexpected happened
  2  the command was not understood
  3  no service answers at --url
  4  the service refused (4xx): repeating does not help
  5  the service failed or is busy (409 busy, 5xx): try again later
  6  verify: the copy is not what it should be`;

const DEMO_HELP = `
It brings its own PostgreSQL in a temporary folder and takes no settings: DATABASE_URL, MONGODB_URI and .env play no part.`;

const SWEEP_HELP = `
It uses the databases of the service (DATABASE_URL, MONGODB_URI or DATA_DIR, from the environment or .env), and keeps what
SWEEP_KEEP_S says. The embedded database has to itself whoever uses it: stop its service first, which sweeps by itself.`;

/** The program: parses the arguments and runs one command; where that fails it ends the process with its exit code. */
export async function runCommandLine(argv: readonly string[]): Promise<void> {
  try {
    await program().parseAsync([...argv]);
  } catch (fault) {
    // What failed may leave a connection open that nobody will close.
    process.exit(report(fault));
  }
}

/**
 * The modules of the service take a second to load: commands that are clients do without them, and those that need them
 * load them when the settings are found good.
 */
function program(): Command {
  const command = new Command('training-tasks')
    .description('Duplicates image-annotation training tasks: all or nothing, exactly once.')
    .usage('[command] [options]   (npm run cli -- [command] [options])')
    .addHelpText('after', EXIT_CODES)
    .showHelpAfterError('(--help says more)')
    .exitOverride();

  command
    .command('serve')
    .description('start the service; settings come from the environment or a file .env, see .env.example')
    .action(async () => {
      const settings = readSettings();
      await (await import('./serve.js')).serve(settings);
    });
  command
    .command('demo')
    .description(
      'duplicate tasks on a throwaway database, kill the service meanwhile, and show what happened',
    )
    .addHelpText('after', DEMO_HELP)
    .action(async () => (await import('./demo.js')).demo());
  command
    .command('migrate')
    .description('bring the tables of the database up to date')
    .action(async () => {
      const settings = readSettings();
      await (await import('./migrate.js')).migrate(settings);
    });
  command
    .command('sweep')
    .description('remove the annotation documents that nothing points to, once; also beside running services')
    .addHelpText('after', SWEEP_HELP)
    .action(async () => {
      const settings = readSettings();
      await (await import('./sweep.js')).sweep(settings);
    });
  command
    .command('import-coco')
    .description('import a COCO file into an empty task, or into a new one')
    .argument('<file>', 'the COCO file')
    .option('--task <id>', 'the task to import into; without it a new one is made', parseId)
    .addOption(
      new Option('--type <type>', 'the type of a new task (default: 1), or of one that has none').choices([
        '1',
        '2',
        '3',
      ]),
    )
    .option('--name <name>', 'the name of a new task; the name of the file without it')
    .addOption(urlOption())
    .addHelpText('after', '\nExample:\n  npm run cli -- import-coco annotations.json --name "my data"')
    .action(importCoco);
  command
    .command('export-coco')
    .description('write a task as a COCO file')
    .addArgument(new Argument('<task>', 'the task').argParser(parseId))
    .option('-o, --output <file>', 'where to; the terminal without it')
    .addOption(urlOption())
    .addHelpText('after', '\nExample:\n  npm run cli -- export-coco 2018102439652891014 -o task.json')
    .action(exportCoco);
  command
    .command('duplicate')
    .description('copy a task into another one; safe to repeat')
    .addArgument(new Argument('<old>', 'the task to copy').argParser(parseId))
    .addArgument(
      new Argument('<new>', 'the task to fill; created where it does not exist').argParser(parseId),
    )
    .option('-o, --output <file>', 'keep the whole answer, the lists of new images and classes')
    .addOption(urlOption())
    .addHelpText('after', '\nExample:\n  npm run cli -- duplicate 2018102439652891014 2018102439652891056')
    .action(duplicate);
  command
    .command('verify')
    .description('prove that a finished copy is what was copied; exit code 6 where it is not')
    .addArgument(new Argument('<new>', 'the task that was filled by a duplication').argParser(parseId))
    .addOption(urlOption())
    .addHelpText('after', '\nExample:\n  npm run cli -- verify 2018102439652891056')
    .action(verify);
  for (const subcommand of command.commands) subcommand.exitOverride();
  return command;
}

function urlOption(): Option {
  return new Option('--url <url>', 'the running service')
    .default('http://127.0.0.1:8000')
    .argParser(parseUrl);
}

function parseId(value: string): string {
  if (!/^[1-9][0-9]{18}$/.test(value)) throw new InvalidArgumentError('A task id has 19 digits.');
  return value;
}

function parseUrl(value: string): string {
  if (!/^https?:\/\//.test(value) || !URL.canParse(value))
    throw new InvalidArgumentError('It has the form http://host:port.');
  return value.replace(/\/+$/, '');
}

/** Tells the person at the terminal what went wrong. @returns the exit code */
function report(fault: unknown): number {
  // Commander has printed its own message, or the help that was asked for.
  if (fault instanceof CommanderError) return fault.exitCode === 0 ? 0 : EXIT.usage;
  if (fault instanceof ServiceError) {
    console.error(fault.message);
    return fault.isWorthRepeating || fault.status >= 500 ? EXIT.serviceFailed : EXIT.refused;
  }
  if (fault instanceof ServiceUnreachable) {
    console.error(fault.message);
    return EXIT.unreachable;
  }
  if (fault instanceof NotVerified) {
    console.error(fault.message);
    return EXIT.notVerified;
  }
  if (isCutOff(fault)) {
    console.error(`The answer broke off (${fault.message}): repeat the command.`);
    return EXIT.serviceFailed;
  }
  console.error(fault instanceof StartError || isSystemFault(fault) ? fault.message : fault);
  return EXIT.failed;
}

/** Of files and sockets: the message names the path and what is wrong with it. */
function isSystemFault(fault: unknown): fault is NodeJS.ErrnoException {
  return fault instanceof Error && 'syscall' in fault;
}
