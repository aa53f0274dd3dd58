import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import type { ServiceUnderTest } from './service-under-test';

/** Asks for a duplication. @returns the answer when its first byte is there; nothing of it is read */
export async function ask(
  service: ServiceUnderTest,
  source: string,
  target: string,
): Promise<IncomingMessage> {
  const asking = request(`${service.url}/training/tasks/duplication`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
  });
  asking.end(JSON.stringify({ task_id_old: source, task_id: target }));
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  response.on('error', () => undefined);
  return response;
}
