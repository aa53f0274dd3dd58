import { setTimeout as sleep } from 'node:timers/promises';
import { Readable } from 'node:stream';
import type { DuplicationStatus } from '../tasks/duplication/dto/duplication-status.dto';
import type { Verification } from '../tasks/duplication/dto/verification.dto';
import { largeDataSet } from './demo-data-set';
import { claim, DemoDuplication } from './demo-duplication';
import { DemoService } from './demo-service';
import { ServiceError, type ServiceClient } from './service-client';
import { whileWaiting } from './waiting';

/** So many that the copy takes long enough to be killed in the middle. */
const IMAGES = 30_000;
const SOURCE = '2018102439652891057';
const TARGET = '2018102439652891058';
const POLL_MS = 10;

/**
 * Kills the service in the middle of a copy, and starts it again on the same data: the target does not exist, and the same
 * request is all that it takes.
 * @returns the service that runs then
 */
export async function killAndRepeat(service: DemoService, folder: string): Promise<DemoService> {
  console.log(`A task of ${String(IMAGES)} images, and a service that is killed while it copies them`);
  await whileWaiting(importTask(service.client), () => 'importing');
  const copy = new DemoDuplication(SOURCE, TARGET);
  console.log(`POST /training/tasks/duplication ${copy.body}`);
  await killWhileRunning(service, copy);
  const next = await whileWaiting(DemoService.start(folder), () => 'starting again');
  try {
    await service.clear();
    await showUntouched(next.client, copy);
    await repeat(next.client, copy);
    await verify(next.client, copy);
    return next;
  } catch (fault) {
    await next.end('SIGTERM');
    throw fault;
  }
}

async function importTask(client: ServiceClient): Promise<void> {
  const file = Readable.from([Buffer.from(JSON.stringify(largeDataSet(IMAGES)))]);
  const path = `/training/tasks/${SOURCE}/coco?task_type=1`;
  await client.json({ method: 'PUT', path, upload: file });
}

async function killWhileRunning(service: DemoService, copy: DemoDuplication): Promise<void> {
  // It is not answered any more.
  const answer = copy.request(service.client).catch(() => undefined);
  while ((await copy.status(service.client))?.state !== 'running') await sleep(POLL_MS);
  await service.end('SIGKILL');
  claim(`${copy.path('duplication')} says running: kill -9, and no answer`, (await answer) === undefined);
}

async function showUntouched(client: ServiceClient, copy: DemoDuplication): Promise<void> {
  console.log('The service is started again on the same data');
  const target = await client.json({ method: 'GET', path: copy.path() }).catch(statusOf);
  claim(`${copy.path()}: 404, the target does not exist`, target === 404);
  // The sweeper of a start holds the task's lock for the moment in which it marks what has died.
  while ((await copy.status(client))?.state === 'running') await sleep(POLL_MS);
  const attempt = await copy.status(client);
  claim(
    `${copy.path('duplication')}: the attempt is ${attempt?.state ?? 'gone'}`,
    attempt?.state === 'failed',
  );
}

async function repeat(client: ServiceClient, copy: DemoDuplication): Promise<void> {
  console.log('The same request again');
  const startedAt = performance.now();
  const second = await whileWaiting(copy.request(client), () => 'copying');
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  const status: DuplicationStatus | undefined = await copy.status(client);
  claim(
    `${second.msg} in ${seconds} s: ${copy.counts(status)}`,
    !second.isReplayed && status?.state === 'done',
  );
  console.log('And a third time');
  const third = await copy.request(client);
  claim(
    'Idempotency-Replayed: true, the same answer, and nothing was copied',
    third.isReplayed && third.text === second.text,
  );
}

async function verify(client: ServiceClient, copy: DemoDuplication): Promise<void> {
  const path = copy.path('duplication/verification');
  console.log(`Is it the same? GET ${path}`);
  const { verified, checks, source } = await client.json<Verification>({ method: 'GET', path });
  const all = checks.map(({ name, ok }) => `${name} ${ok ? 'ok' : 'NOT OK'}`).join(', ');
  claim(`verified: ${all}`, verified && source === 'same');
}

function statusOf(fault: unknown): number | undefined {
  return fault instanceof ServiceError ? fault.status : undefined;
}
