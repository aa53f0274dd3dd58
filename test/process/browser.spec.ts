import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Locator, Page } from 'playwright-core';
import { SAMPLE_COPY_ID, SAMPLE_TASK_ID } from '../../src/sample/sample-data-set';
import { newTaskId } from '../support/api';
import { aDataSet } from '../support/data-set';
import { findChromium, openBrowser } from './support/browser';
import { externalDatabase, lockTasks } from './support/database';
import { cleanUp, tempFolder } from './support/program';
import { ServiceProcess } from './support/service-process';

const chromium = findChromium();

if (chromium !== undefined) {
  describe('in a browser', () => inBrowser(chromium));
} else if (process.env['CI']) {
  it('there is a browser in CI', () => {
    throw new Error('No Chromium: install it, or set CHROMIUM_BINARY.');
  });
} else {
  it.skip('in a browser: NOT RUN, there is no Chromium; install it, or set CHROMIUM_BINARY', () => undefined);
}

function inBrowser(binary: string): void {
  let browser: Browser;
  let origins: Origins;

  beforeAll(async () => {
    browser = await openBrowser(binary);
    origins = await openOrigins(browser);
  });
  afterAll(async () => {
    await browser.close();
    await cleanUp();
  });

  describe('the documentation', () => {
    let service: ServiceProcess;
    let page: Page;

    beforeAll(async () => {
      service = await ServiceProcess.start({ DATA_DIR: await tempFolder() });
      page = await browser.newPage();
      await page.goto(service.url);
    });

    it('is where the address of the service leads, and the specification’s example works as it stands', async () => {
      expect(page.url()).toMatch(/\/docs\/?$/);
      const duplicate = await tryOut(page, 'post', '/training/tasks/duplication');
      const first = await execute(duplicate);
      expect(first.status).toBe('200');
      expect(JSON.parse(first.body)).toMatchObject({ code: 0, msg: '复制任务成功', task_type: 1 });
      expect(JSON.parse(first.body).image_list).toHaveLength(36);
      expect(first.headers).not.toContain('idempotency-replayed');
      const second = await execute(duplicate);
      expect(second.status).toBe('200');
      expect(second.body).toBe(first.body);
      expect(second.headers).toContain('idempotency-replayed: true');
    });

    it.each([
      ['get', '/training/tasks/{task_id}/duplication', { state: 'done', image_count: 36 }],
      ['get', '/training/tasks/{task_id}/duplication/maps', { next_cursor: null }],
      ['get', '/training/tasks', { task_list: [{}, { task_id: SAMPLE_TASK_ID }] }],
      ['get', '/training/tasks/{task_id}', { task_id: SAMPLE_TASK_ID, image_count: 36 }],
      ['get', '/training/tasks/{task_id}/images', { next_cursor: null }],
      ['get', '/training/tasks/{task_id}/label-classes', { lab_class_list: [{}, {}, {}, {}] }],
      ['get', '/training/tasks/{task_id}/images/{img_id}/annotations', { annotations: [{ iscrowd: 0 }] }],
      ['get', '/health/live', { status: 'ok' }],
      ['get', '/health/ready', { status: 'ok' }],
    ])('%s %s works on the first click', async (method, path, members) => {
      await service.api.duplicate(SAMPLE_TASK_ID, SAMPLE_COPY_ID);
      const { status, body } = await execute(await tryOut(page, method, path));
      expect(status).toBe('200');
      expect(JSON.parse(body)).toMatchObject(members);
    });

    it('creates, imports and exports on the first click', async () => {
      const created = await execute(await tryOut(page, 'post', '/training/tasks'));
      expect(created.status).toBe('201');
      const imported = await execute(await tryOut(page, 'put', '/training/tasks/{task_id}/coco'));
      expect(imported.status).toBe('200');
      expect(JSON.parse(imported.body)).toMatchObject({
        images: 1,
        annotations: 1,
        label_classes: 1,
        warnings: [],
      });
      const exported = await execute(await tryOut(page, 'get', '/training/tasks/{task_id}/coco'));
      expect(exported.status).toBe('200');
    });
  });

  describe('a page of another origin', () => {
    it('that is listed sends JSON and reads the answer with its headers', async () => {
      const { service, task, listed } = origins;
      const request = { task_id_old: task, task_id: newTaskId() };
      const first = await fetchIn(listed, 'POST', `${service.url}/training/tasks/duplication`, request);
      const requestId = expect.stringMatching(/^[\w-]{36}$/);
      expect(first).toMatchObject({ status: 200, code: 0, replayed: null, requestId });
      const second = await fetchIn(listed, 'POST', `${service.url}/training/tasks/duplication`, request);
      expect(second).toMatchObject({ status: 200, code: 0, replayed: 'true' });
      const address = `${service.url}/training/tasks/${newTaskId()}/coco?task_type=1`;
      expect(await fetchIn(listed, 'PUT', address, aDataSet())).toMatchObject({ status: 200, code: 0 });
    });

    it('that is listed reads an error, and when to try again', async () => {
      const { service, listed, busy } = origins;
      const missing = await fetchIn(listed, 'GET', `${service.url}/training/tasks/${newTaskId()}`);
      const requestId = expect.stringMatching(/^[\w-]{36}$/);
      expect(missing).toMatchObject({ status: 404, code: 40402, retryAfter: null, requestId });
      expect(await busy).toMatchObject({ status: 409, code: 40904, retryAfter: '2', requestId });
    });

    it('that is not listed reads nothing and sends no JSON', async () => {
      const { service, unlisted } = origins;
      expect(await fetchIn(unlisted, 'GET', `${service.url}/training/tasks`)).toBe('blocked');
      const id = newTaskId();
      const body = { task_id: id, task_name: 'never' };
      expect(await fetchIn(unlisted, 'POST', `${service.url}/training/tasks`, body)).toBe('blocked');
      expect((await service.api.get(`/training/tasks/${id}`)).status).toBe(404);
    });
  });
}

interface Origins {
  readonly service: ServiceProcess;
  /** A task to copy. */
  readonly task: string;
  /** A page whose origin the service lists. */
  readonly listed: Page;
  readonly unlisted: Page;
  /** Fetched by the listed page, of a task that is being written: begun first, as it takes 10 s. */
  readonly busy: ReturnType<typeof fetchIn>;
}

async function openOrigins(browser: Browser): Promise<Origins> {
  const [listed, unlisted] = [await frontEnd(browser), await frontEnd(browser)];
  const database = await externalDatabase();
  const service = await ServiceProcess.start({
    DATABASE_URL: database,
    CORS_ORIGINS: `https://platform.example,${new URL(listed.url()).origin}`,
  });
  const [task, target] = [newTaskId(), newTaskId()];
  await service.api.importCoco(task, aDataSet());
  await lockTasks(database, target);
  const request = { task_id_old: task, task_id: target };
  const busy = fetchIn(listed, 'POST', `${service.url}/training/tasks/duplication`, request);
  return { service, task, listed, unlisted, busy };
}

/** Unfolds an endpoint of Swagger UI and makes it ready to be executed, with its examples. */
async function tryOut(page: Page, method: string, path: string): Promise<Locator> {
  const endpoint = page.locator(`.opblock-${method}`, {
    has: page.locator(`.opblock-summary-path[data-path="${path}"]`),
  });
  await endpoint.locator('.opblock-summary-control').click();
  await endpoint.getByRole('button', { name: 'Try it out' }).click();
  return endpoint;
}

interface Executed {
  readonly status: string;
  readonly body: string;
  readonly headers: string;
}

/** Clicks Execute and reads what is then on the page. */
async function execute(endpoint: Locator): Promise<Executed> {
  const clear = endpoint.getByRole('button', { name: 'Clear' });
  if (await clear.isVisible()) await clear.click();
  await endpoint.getByRole('button', { name: 'Execute' }).click();
  const live = endpoint.locator('.live-responses-table');
  await live.locator('.response-col_status').last().waitFor();
  const [body, headers] = await live.locator('.response-col_description pre').allTextContents();
  const status = await live.locator('tbody .response-col_status').first().textContent();
  return { status: status?.trim() ?? '', body: body ?? '', headers: headers ?? '' };
}

/** What a script of the page can read of an answer; `blocked` where the browser lets it read nothing. */
function fetchIn(page: Page, method: string, url: string, body?: unknown) {
  return page.evaluate(
    async ([method, url, body]) => {
      const json = body === undefined ? {} : { body, headers: { 'Content-Type': 'application/json' } };
      try {
        const response = await fetch(url, { method, ...json });
        const { code } = (await response.json()) as { code: number };
        return {
          status: response.status,
          code,
          requestId: response.headers.get('X-Request-Id'),
          retryAfter: response.headers.get('Retry-After'),
          replayed: response.headers.get('Idempotency-Replayed'),
        };
      } catch {
        return 'blocked';
      }
    },
    [method, url, body === undefined ? undefined : JSON.stringify(body)] as [
      string,
      string,
      string | undefined,
    ],
  );
}

/** An empty page of an origin of its own. */
async function frontEnd(browser: Browser): Promise<Page> {
  const server = createServer((_request, response) => {
    response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>front end</title>');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.unref();
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return page;
}
