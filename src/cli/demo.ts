import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SAMPLE_COPY_ID, SAMPLE_TASK_ID } from '../sample/sample-data-set';
import type { DuplicationMaps } from '../tasks/duplication/dto/duplication-maps.dto';
import { claim, DemoDuplication } from './demo-duplication';
import { killAndRepeat } from './demo-kill';
import { DemoService } from './demo-service';
import type { ServiceClient } from './service-client';
import { whileWaiting } from './waiting';

const ROWS_SHOWN = 4;

/** Duplicates over HTTP on a throwaway database, kills the service meanwhile, and tells what happened. */
export async function demo(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'training-tasks-demo-'));
  let service: DemoService | undefined;
  try {
    service = await whileWaiting(DemoService.start(folder), () => 'starting');
    console.log(`A service with a sample task runs at ${service.url}\n`);
    await show(service.client);
    service = await killAndRepeat(service, folder);
    console.log(WHERE_THE_REST_IS);
  } finally {
    await service?.end('SIGTERM');
    await rm(folder, { recursive: true, force: true, maxRetries: 20 });
  }
}

async function show(client: ServiceClient): Promise<void> {
  const copy = new DemoDuplication(SAMPLE_TASK_ID, SAMPLE_COPY_ID);
  console.log(`POST /training/tasks/duplication ${copy.body}`);
  const first = await copy.request(client);
  claim(`${first.msg}: ${copy.counts(await copy.status(client))}`, !first.isReplayed);
  console.log('The same request again');
  const second = await copy.request(client);
  claim('the same answer, and nothing was copied', second.isReplayed && second.text === first.text);
  const path = copy.path('duplication/maps');
  console.log(`\nOld → new (GET ${path})`);
  console.log(describeMaps(await client.json<DuplicationMaps>({ method: 'GET', path })));
}

function describeMaps(maps: DuplicationMaps): string {
  const classes = Object.entries(maps.old_new_lab_class_map).map(
    ([old, { lab_class_id_new }]) => `  class  ${old} → ${String(lab_class_id_new)}`,
  );
  const images = Object.entries(maps.old_new_img_info_map)
    .slice(0, ROWS_SHOWN)
    .flatMap(([old, info]) => [
      `  image  ${old} → ${info.img_id_new}`,
      `    ROI      ${describePair(info.img_roi_id_old, info.img_roi_id_new)}`,
      `    document ${describePair(info.labeled_img_id_old, info.labeled_img_id_new)}`,
    ]);
  return [...classes, ...images, '  …\n'].join('\n');
}

function describePair(old: string | null, copy: string | null): string {
  return old === null && copy === null ? 'none' : `${String(old)} → ${String(copy)}`;
}

const WHERE_THE_REST_IS = `
Where the rest is
  npm start               the service on port 8000 with this sample; its documentation is at /docs
  npm run cli -- --help   import a COCO file, duplicate it, verify the copy, export it
  README.md               the contract, the errors, how a front end calls it`;
