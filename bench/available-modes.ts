import { MongodMissing } from '../test/support/find-mongod';
import type { Mode } from './mode';
import { mongodBinary } from './servers';

/** Without a mongod its part is left out, for everybody to see; in CI that is a failure. */
export async function availableModes(wanted: readonly Mode[]): Promise<readonly Mode[]> {
  if (!wanted.includes('mongo')) return wanted;
  try {
    await mongodBinary();
    return wanted;
  } catch (fault) {
    if (!(fault instanceof MongodMissing) || process.env['CI']) throw fault;
    console.error(
      `NOT MEASURED: mongo. There is no mongod; set MONGOD_BINARY or install one. (${fault.message})`,
    );
    return wanted.filter((mode) => mode !== 'mongo');
  }
}
