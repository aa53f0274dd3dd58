import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadEnvironment } from '../config/environment';
import { SAMPLE_COPY_ID, SAMPLE_TASK_ID } from '../sample/sample-data-set';
import { Service } from '../service';
import type { DuplicatedTask } from '../tasks/duplication/dto/duplicated-task.dto';
import type { DuplicationMaps } from '../tasks/duplication/dto/duplication-maps.dto';
import type { DuplicationStatus } from '../tasks/duplication/dto/duplication-status.dto';
import { ServiceClient } from './service-client';

const ROWS_SHOWN = 4;
const REQUEST = { task_id_old: SAMPLE_TASK_ID, task_id: SAMPLE_COPY_ID };

/** Duplicates the sample task over HTTP, twice, on a throwaway database, and tells what happened. */
export async function demo(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'training-tasks-demo-'));
  try {
    const settings = loadEnvironment({ PORT: '0', DATA_DIR: folder });
    const service = await Service.start(settings, { durable: false, quiet: true });
    try {
      await show(service.url);
    } finally {
      await service.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function show(url: string): Promise<void> {
  const service = new ServiceClient(url);
  console.log(`A service with a sample task runs at ${url}\n`);
  console.log(`POST /training/tasks/duplication ${JSON.stringify(REQUEST)}`);
  const first = await duplicate(service);
  const status = await service.json<DuplicationStatus>({ method: 'GET', path: pathOf('duplication') });
  console.log(`  ${first.msg}: ${describeStatus(status)}`);

  const second = await duplicate(service);
  const isSame = second.text === first.text && second.isReplayed && !first.isReplayed;
  console.log(
    `The same request again\n  ${isSame ? 'the same answer, and nothing was copied' : 'ANOTHER ANSWER'}\n`,
  );
  if (!isSame) throw new Error('the same request was not answered the same');

  console.log(
    describeMaps(await service.json<DuplicationMaps>({ method: 'GET', path: pathOf('duplication/maps') })),
  );
  console.log(`
Where the rest is
  npm start               the service on port 8000 with this sample; its documentation is at /docs
  npm run cli -- --help   import a COCO file, duplicate it, export it
  README.md               the contract, the errors, how a front end calls it`);
}

async function duplicate(
  service: ServiceClient,
): Promise<{ text: string; msg: string; isReplayed: boolean }> {
  const { body, headers } = await service.send({
    method: 'POST',
    path: '/training/tasks/duplication',
    json: REQUEST,
  });
  const text = await body.text();
  const { msg } = JSON.parse(text) as DuplicatedTask & { msg: string };
  return { text, msg, isReplayed: headers['idempotency-replayed'] === 'true' };
}

function pathOf(resource: string): string {
  return `/training/tasks/${SAMPLE_COPY_ID}/${resource}`;
}

function describeStatus({
  image_count,
  roi_count,
  label_class_count,
  document_count,
}: DuplicationStatus): string {
  return `${String(image_count)} images, ${String(roi_count)} ROIs, ${String(label_class_count)} label classes, ${String(document_count)} annotation documents`;
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
  return [`Old → new (GET ${pathOf('duplication/maps')})`, ...classes, ...images, '  …'].join('\n');
}

function describePair(old: string | null, copy: string | null): string {
  return old === null && copy === null ? 'none' : `${String(old)} → ${String(copy)}`;
}
