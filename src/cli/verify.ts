import type { Verification, VerificationCheck } from '../tasks/duplication/dto/verification.dto';
import { ServiceClient } from './service-client';
import { whileWaiting } from './waiting';

/** The copy is not what it should be. */
export class NotVerified extends Error {}

/** @throws NotVerified once all checks are shown */
export async function verify(target: string, { url }: { readonly url: string }): Promise<void> {
  const service = new ServiceClient(url);
  const verifying = service.sendRepeating(
    { method: 'GET', path: `/training/tasks/${target}/duplication/verification` },
    ({ message, retryAfterS }) => console.error(`${message}: trying again in ${String(retryAfterS)} s`),
  );
  const { body } = await whileWaiting(verifying, () => 'comparing with the source');
  const { verified, checks, source, target: state } = (await body.json()) as Verification;
  console.log([...checks.map(describe), `  source      ${source}`, `  copy        ${state}`].join('\n'));
  if (!verified) throw new NotVerified(`Task ${target} is not what was copied.`);
  console.log(
    `Task ${target}: verified${source === 'gone' ? ', as far as that goes without the source' : ''}.`,
  );
}

function describe({ name, ok, count, examples }: VerificationCheck): string {
  const more = count > examples.length ? ', …' : '';
  const result = ok
    ? 'ok'
    : `${String(count)} ${count === 1 ? 'fault' : 'faults'} (${examples.join(', ')}${more})`;
  return `  ${name.padEnd(11)} ${result}`;
}
