import { setTimeout as sleep } from 'node:timers/promises';
import type { Installation } from '../installation';
import { ServiceUnderTest } from '../service-under-test';
import { duplicationScript, type DuplicationScript, type Recording } from './duplication-script';
import { mongoWire } from './mongo-wire';
import { postgresWire } from './postgres-wire';
import { Recorder } from './recorder';
import { RecordingProxy } from './recording-proxy';

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
  const socket = `${decodeURIComponent(new URL(databaseUrl).hostname)}/.s.PGSQL.5432`;
  const postgres = await RecordingProxy.open({ path: socket }, () => postgresWire(recorder));
  const mongo =
    mongodbUri === undefined
      ? undefined
      : await RecordingProxy.open({ host: '127.0.0.1', port: portOf(mongodbUri) }, () => mongoWire(recorder));
  try {
    const service = await ServiceUnderTest.start({
      databaseUrl: databaseUrl.replace(/@[^/]*/, `@127.0.0.1:${postgres.port}`),
      mongodbUri: mongo && throughProxy(mongodbUri!, mongo.port), // with the one there is the other
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

/** A client of a replica set would go to the address that the set has, past the proxy. */
function throughProxy(uri: string, port: number): string {
  return uri
    .replace(/^(mongodb:\/\/)[^/]*/, `$1127.0.0.1:${port}`)
    .replace(/replicaSet=[^&]*/, 'directConnection=true');
}

function portOf(uri: string): number {
  return Number(new URL(uri).port);
}
