import { Logger } from '@nestjs/common';
import type { Environment } from '../config/environment';
import { SAMPLE_COPY_ID, SAMPLE_TASK_ID } from '../sample/sample-data-set';
import { Service } from '../service';

/** Runs the service until it is told to stop, or its database ends. */
export async function serve(environment: Environment): Promise<void> {
  const service = await Service.start(environment);
  const logger = new Logger('Service');
  console.log(welcome(service.url));
  const databaseEnded = service.databaseEnded.then((reason) => {
    process.exitCode = 1;
    logger.fatal({ event: 'database_ended', reason });
  });
  const signalled = toldToStop().then((signal) => {
    logger.log({ event: 'stopping', signal });
  });
  await Promise.race([signalled, databaseEnded]);
  await service.stop();
  logger.log({ event: 'stopped' });
  // What was cut off may still hold the process: it has had its time.
  process.exit();
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
/** On a terminal, Ctrl-C under npm arrives twice within milliseconds: from the terminal, and passed on by npm. */
const SAME_SIGNAL_MS = 1_000;

/** A second signal, some time after the first, finds no handler any more and ends the process at once. */
function toldToStop(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const stop = (signal: NodeJS.Signals): void => {
      resolve(signal);
      setTimeout(() => SIGNALS.forEach((name) => process.off(name, stop)), SAME_SIGNAL_MS).unref();
    };
    for (const signal of SIGNALS) process.on(signal, stop);
  });
}

function welcome(url: string): string {
  const request = JSON.stringify({ task_id_old: SAMPLE_TASK_ID, task_id: SAMPLE_COPY_ID });
  return `
training-tasks is ready.

  documentation  ${url}/docs
  try it         curl -s ${url}/training/tasks/duplication -H 'Content-Type: application/json' -d '${request}'
`;
}
