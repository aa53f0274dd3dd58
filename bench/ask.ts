import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { ServiceUnderTest } from './service-under-test';

/**
 * Asks for a duplication.
 * @returns the answer when its first byte is there; nothing of it is read
 * @throws what it says where it is refused
 */
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
  const status = response.statusCode!; // an answer has one
  if (status >= 400) throw new Error(`not duplicated: ${status} ${await text(response)}`);
  response.on('error', () => undefined);
  return response;
}
