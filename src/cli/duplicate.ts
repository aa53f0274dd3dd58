import type { DuplicationStatus } from '../tasks/duplication/dto/duplication-status.dto';
import { saveWhole } from './save-whole';
import { ServiceClient } from './service-client';
import { whileWaiting } from './waiting';

interface Options {
  readonly output?: string;
  readonly url: string;
}

export async function duplicate(source: string, target: string, { output, url }: Options): Promise<void> {
  const service = new ServiceClient(url);
  const startedAt = performance.now();
  const copying = service.sendRepeating(
    { method: 'POST', path: '/training/tasks/duplication', json: { task_id_old: source, task_id: target } },
    ({ message, retryAfterS }) => console.error(`${message}: trying again in ${String(retryAfterS)} s`),
  );
  const { body, headers } = await whileWaiting(copying, () => describeRunning(service, target));
  if (output === undefined) await body.dump({ limit: Infinity });
  else await saveWhole(body, output, 'receiving the answer');
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  const how = headers['idempotency-replayed'] === 'true' ? 'was a copy already' : `copied in ${seconds} s`;
  console.log(`Task ${target}: ${how}: ${counts(await statusOf(service, target))}.`);
}

function statusOf(service: ServiceClient, target: string): Promise<DuplicationStatus> {
  return service.json({ method: 'GET', path: `/training/tasks/${target}/duplication` });
}

async function describeRunning(service: ServiceClient, target: string): Promise<string> {
  // There is nothing to tell before the attempt is recorded; what went wrong shows in the answer.
  const status = await statusOf(service, target).catch(() => undefined);
  return status ? `copying ${counts(status)}` : 'waiting';
}

function counts({ image_count, roi_count, label_class_count, document_count }: DuplicationStatus): string {
  return [
    `${String(image_count)} images`,
    `${String(roi_count)} ROIs`,
    `${String(label_class_count)} label classes`,
    `${String(document_count)} annotation documents`,
  ].join(', ');
}
