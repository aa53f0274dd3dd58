import { setTimeout as sleep } from 'node:timers/promises';
import { listenerOf, throughProxy } from '../../test/support/loopback-proxy';
import type { Installation } from '../installation';
import { ServiceUnderTest } from '../service-under-test';
import { duplicationScript, type DuplicationScript, type Recording } from './duplication-script';
import { mongoWire } from './mongo-wire';
import { postgresWire } from './postgres-wire';
import { Recorder } from './recorder';
import { RecordingProxy } from './recording-proxy';

/** The name of its sessions, in both databases. */
const RECORDED = 'recorded-node';
/** Before the service has all its connections and the drivers know the servers, they ask more than later. */
const WARM_UP = 5;
/** The connection may be given back after the answer has come; and that is asked of the database as well. */
const QUIET_MS = 100;
/** Of no counter in the database: so an id that comes from one is not taken for one that comes from the target's. */
const IDS_APART = 997;

/** What the service asks of its databases for one duplication of this task, by a service between which and them a proxy listens. */
export async function recordDuplication(
  installation: Installation,
  source: string,
): Promise<DuplicationScript> {
  const recorder = new Recorder();
  const { databaseUrl, mongodbUri } = installation;
  const postgres = await RecordingProxy.open(listenerOf(databaseUrl), () => postgresWire(recorder));
  const mongo =
    mongodbUri === undefined
      ? undefined
      : await RecordingProxy.open(listenerOf(mongodbUri), () => mongoWire(recorder));
  try {
    const service = await ServiceUnderTest.start({
      databaseUrl: throughProxy(databaseUrl, postgres, RECORDED),
      mongodbUri: mongo && throughProxy(mongodbUri!, mongo, RECORDED), // with the one there is the other
    });
    try {
      return await record(installation, service, recorder, source);
    } finally {
      await service.stop();
    }
  } finally {
    await Promise.all([postgres.close(), mongo?.close()]);
  }
}

async function record(
  installation: Installation,
  service: ServiceUnderTest,
  recorder: Recorder,
  source: string,
): Promise<DuplicationScript> {
  const recordings: Recording[] = [];
  const targets: string[] = [];
  for (let run = 0; run < WARM_UP + 2; run++) {
    const target = distantId(installation);
    targets.push(target);
    recorder.start();
    await service.duplicate(source, target);
    await sleep(QUIET_MS);
    recordings.push({ target, steps: recorder.stop() });
  }
  await installation.remove(...targets);
  const [first, second] = recordings.slice(WARM_UP);
  return duplicationScript(first!, second!); // there are two more than for warming up
}

function distantId(installation: Installation): string {
  for (let left = IDS_APART; left > 1; left--) installation.newId();
  return installation.newId();
}
