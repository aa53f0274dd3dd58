import { ConsoleLogger } from '@nestjs/common';

/** What Nest tells of its own start: nobody acts on it. */
const FRAMEWORK_CONTEXTS: ReadonlySet<unknown> = new Set([
  'InstanceLoader',
  'NestApplication',
  'NestFactory',
  'RouterExplorer',
  'RoutesResolver',
]);

/** For people on a terminal, one line of JSON for each event elsewhere. `quiet`: warnings and worse only. */
export class ServiceLogger extends ConsoleLogger {
  constructor(quiet: boolean) {
    super({
      json: !process.stdout.isTTY,
      compact: true,
      breakLength: Infinity,
      logLevels: quiet ? ['warn', 'error', 'fatal'] : ['log', 'warn', 'error', 'fatal'],
    });
  }

  override log(message: unknown, ...rest: unknown[]): void {
    if (!FRAMEWORK_CONTEXTS.has(rest.at(-1))) super.log(message, ...rest);
  }
}
