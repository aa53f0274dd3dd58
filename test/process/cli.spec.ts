import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { newTaskId } from '../support/api';
import { aDataSet, type CocoDataSet } from '../support/data-set';
import { externalDatabase, lockTasks, query } from './support/database';
import { cleanUp, Program, run, tempFolder, type Ended } from './support/program';
import { ServiceProcess } from './support/service-process';

let database: string;
let service: ServiceProcess;
let folder: string;
/** Begun first and looked at last: the service answers busy after 10 s. */
let busy: ReturnType<typeof meetBusyTasks>;

beforeAll(async () => {
  database = await externalDatabase();
  folder = await tempFolder();
  service = await ServiceProcess.start({ DATABASE_URL: database, MAX_IMPORT_BYTES: '100000' });
  busy = meetBusyTasks();
  await busy;
});
afterAll(cleanUp);

/** Runs a command against the running service, in a folder of files. */
function cli(...args: string[]): Promise<Ended> {
  return run([...args, '--url', service.url], { cwd: folder });
}

async function write(name: string, content: unknown): Promise<string> {
  const file = path.join(folder, name);
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

async function importTask(dataSet: unknown = aDataSet()): Promise<string> {
  const task = newTaskId();
  expect((await service.api.importCoco(task, dataSet)).status).toBe(200);
  return task;
}

/** A duplication into a task, and an import into another, that somebody else is writing. */
async function meetBusyTasks() {
  const [source, target, other] = [await importTask(), newTaskId(), newTaskId()];
  const release = await lockTasks(database, target, other);
  const duplicating = Program.start(['duplicate', source, target, '--url', service.url]);
  const file = await write('for-a-busy-task.json', aDataSet());
  return { duplicating, importing: cli('import-coco', file, '--task', other, '--type', '1'), release };
}

describe('--help', () => {
  it.each([
    [
      [],
      /Commands:\n +serve .*demo .*migrate .*import-coco .*export-coco .*duplicate .*verify .*Exit codes:\n +0 /s,
    ],
    [['serve'], /start the service/],
    [['demo'], /throwaway database/],
    [['migrate'], /tables/],
    [['import-coco'], /<file>.*--task <id>.*--type <type>.*--name <name>.*--url <url>.*Example:/s],
    [['export-coco'], /<task>.*--output <file>.*--url <url>.*Example:/s],
    [['duplicate'], /<old> <new>.*--output <file>.*--url <url>.*Example:/s],
    [['verify'], /<new>.*exit code 6.*--url <url>.*Example:/s],
  ])('%s', async (command, text) => {
    const { code, stdout, stderr } = await run([...command, '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(text);
  });
});

describe('import-coco, duplicate and export-coco', () => {
  it('bring a data set in, copy it and write the same content out again', async () => {
    const dataSet = withEverything();
    const file = await write('data.json', dataSet);
    const imported = await cli('import-coco', file, '--name', '数据', '--type', '2');
    expect(imported).toMatchObject({ code: 0, stderr: '' });
    const [, source] = /^Task (\d{19}): 5 images, 10 annotations, 2 label classes\.\n$/.exec(
      imported.stdout,
    )!;
    const { body: task } = await service.api.get(`/training/tasks/${source!}`);
    expect(task).toMatchObject({ task_name: '数据', task_type: 2 });

    const copy = newTaskId();
    const first = await cli('duplicate', source!, copy);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toMatch(
      /^Task \d+: copied in [\d.]+ s: 5 images, 2 ROIs, 2 label classes, 5 annotation documents\.\n$/,
    );
    const answerFile = path.join(folder, 'answer.json');
    const second = await cli('duplicate', source!, copy, '-o', answerFile);
    expect(second.stdout).toMatch(/^Task \d+: was a copy already: 5 images/);
    expect(JSON.parse(await readFile(answerFile, 'utf8')).image_list).toHaveLength(5);

    const toTerminal = await cli('export-coco', copy);
    expect(toTerminal).toMatchObject({ code: 0, stderr: '' });
    const out = path.join(folder, 'out.json');
    expect(await cli('export-coco', source!, '-o', out)).toMatchObject({ code: 0, stderr: '' });
    const [original, copied] = [await readFile(out, 'utf8'), toTerminal.stdout].map((text) =>
      readExport(JSON.parse(text) as CocoDataSet),
    );
    expect(copied!.content).toEqual(original!.content);
    expect(original!.content).toMatchObject({
      info: { year: 2026 },
      images: [{ camera: 'line-1' }, {}, {}, {}, {}],
    });
    expect(copied!.orderIds).toEqual([1, 2, 3, 4, 5]);
    expect(original!.orderIds).toEqual([2, 5, 8, 11, 14]);
  });

  it('import into a task that is there, whatever its type, and shows warnings', async () => {
    const { body } = await service.api.post('/training/tasks', { task_name: 'mine', task_type: 3 });
    const file = await write('dirty.json', { ...aDataSet(), colours: 3 });
    const { code, stdout } = await cli('import-coco', file, '--task', String(body['task_id']));
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Task \d+: 3 images.*\n {2}warning \w+: 1 \(colours\)\n$/);
  });
});

describe('the exit code', () => {
  it.each([
    [
      1,
      'a file that is not there',
      ['import-coco', 'nowhere.json'],
      /^nowhere.json cannot be read \(ENOENT\)\.\n$/,
    ],
    [1, 'a folder for a file', ['import-coco', '/'], /^\/ is a folder/],
    [2, 'a bad id', ['duplicate', '123', '2018102439652891056'], /A task id has 19 digits/],
    [2, 'an argument too few', ['duplicate', '2018102439652891014'], /missing required argument 'new'/],
    [2, 'a bad type', ['import-coco', 'x', '--type', '4'], /Allowed choices are 1, 2, 3/],
    [2, 'a bad address', ['export-coco', '2018102439652891014', '--url', 'localhost'], /http:\/\/host:port/],
    [2, 'an unknown command', ['export'], /unknown command 'export'/],
    [2, 'an unknown option', ['serve', '--port', '1'], /unknown option '--port'/],
  ])('is %i for %s', async (expected, _, args, message) => {
    const { code, stdout, stderr } = await run(args, { cwd: folder });
    expect({ code, stdout }).toEqual({ code: expected, stdout: '' });
    expect(stderr).toMatch(message);
  });

  it('is 3 where no service answers', async () => {
    const file = await write('good.json', aDataSet());
    const [one, other] = [newTaskId(), newTaskId()];
    for (const args of [
      ['import-coco', file],
      ['export-coco', one],
      ['duplicate', one, other],
      ['verify', one],
    ]) {
      const { code, stdout, stderr } = await run([...args, '--url', 'http://127.0.0.1:1']);
      expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
      expect(stderr).toMatch(
        /^No service answers at http:\/\/127.0.0.1:1 \(ECONNREFUSED\): start it with npm start, /,
      );
    }
  });

  it('is 4 where the service refuses', async () => {
    const absent = newTaskId();
    const refused = await cli('duplicate', absent, newTaskId());
    expect(refused).toMatchObject({ code: 4, stdout: '' });
    expect(refused.stderr).toBe(`Task ${absent}, the one to copy, does not exist (code 40401)\n`);

    const noCopy = await cli('verify', absent);
    expect(noCopy).toMatchObject({ code: 4, stdout: '' });
    expect(noCopy.stderr).toBe(`Task ${absent} does not exist (code 40402)\n`);

    const faulty = await cli('import-coco', await write('faulty.json', { images: 1 }));
    expect(faulty).toMatchObject({ code: 4, stdout: '' });
    expect(faulty.stderr).toMatch(
      /^Task \d+ was made for the import and is empty; .*\n.*no COCO data set.*\(code 42201\)\n$/,
    );

    const large = await cli('import-coco', await write('large.json', aDataSet({ images: 2000 })));
    expect(large).toMatchObject({ code: 4, stdout: '' });
    expect(large.stderr).toMatch(/over 100000 bytes \(code 41301\)/);
  });

  it('is 5 where the answer breaks off, and no half file is left', async () => {
    const url = await serverThat((_request, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.write('{"images":[', () => response.destroy());
    });
    const output = path.join(folder, 'half.json');
    const { code, stdout, stderr } = await run(['export-coco', newTaskId(), '-o', output, '--url', url]);
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
    expect(stderr).toMatch(/^The answer broke off \(.*\): repeat the command\.\n$/);
    expect([existsSync(output), existsSync(`${output}.part`)]).toEqual([false, false]);
  });

  it('is 3 where something else answers', async () => {
    const url = await serverThat((_request, response) => response.end('<html>hello</html>'));
    const { code, stderr } = await run(['duplicate', newTaskId(), newTaskId(), '--url', url]);
    expect(code).toBe(3);
    expect(stderr).toMatch(/^No service answers at /);
  });

  it('is 5 where the task stays busy; what is safe to repeat is repeated until it is free', async () => {
    const { duplicating, importing, release } = await busy;
    await duplicating.prints(
      /^Task \d+ is being written, try again later \(code 40904\): trying again in 2 s$/m,
    );
    expect(await importing).toMatchObject({ code: 5, stdout: '' });
    await release();
    const { code, stdout } = await duplicating.ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Task \d+: copied in /);
  });
});

describe('verify', () => {
  it('says what was checked, and is content', async () => {
    const [source, copy] = [await importTask(withEverything()), newTaskId()];
    await cli('duplicate', source, copy);
    const checks = '  counts      ok\n  ids         ok\n  references  ok\n';
    expect(await cli('verify', copy)).toMatchObject({
      code: 0,
      stderr: '',
      stdout: `${checks}  content     ok\n  source      same\n  copy        same\nTask ${copy}: verified.\n`,
    });
    expect((await service.api.delete(`/training/tasks/${source}`)).status).toBe(200);
    expect(await cli('verify', copy)).toMatchObject({
      code: 0,
      stderr: '',
      stdout:
        `${checks}  source      gone\n  copy        same\n` +
        `Task ${copy}: verified, as far as that goes without the source.\n`,
    });
  });

  it('names what it has found, and ends with 6', async () => {
    const [source, copy] = [await importTask(), newTaskId()];
    await cli('duplicate', source, copy);
    await query(database, `UPDATE image SET name = 'x' WHERE task_id = ${copy} AND order_id > 1`);
    const { code, stdout, stderr } = await cli('verify', copy);
    expect({ code, stderr }).toEqual({ code: 6, stderr: `Task ${copy} is not what was copied.\n` });
    expect(stdout).toMatch(/^ {2}content {5}2 faults \(\d{19}, \d{19}\)$/m);
  });
});

async function serverThat(answers: RequestListener): Promise<string> {
  const server = createServer(answers).listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

/** With gaps in the order, a ROI on some images and members that the service does not know. */
function withEverything(): CocoDataSet {
  const dataSet = aDataSet({ images: 5 });
  return {
    info: { year: 2026 },
    ...dataSet,
    images: dataSet.images.map((image, at) => ({
      ...image,
      order_id: 3 * at + 2,
      camera: `line-${at + 1}`,
      ...(at % 2 === 1 && { roi: [0, 0, 10, 10] }),
    })),
    annotations: dataSet.annotations.map((annotation) => ({ ...annotation, attributes: { score: 0.5 } })),
  };
}

/** What an export says besides the ids and the places, which are a copy's own; the order of the images stays. */
function readExport({ images, categories, annotations, ...head }: CocoDataSet) {
  const classIds = categories.map(({ id }) => id);
  const content = {
    ...head,
    images: images.map(({ img_id: _, order_id: _order, ...rest }) => rest),
    categories: categories.map(({ id: _, ...rest }) => rest),
    annotations: annotations.map(({ category_id, ...rest }) => ({
      ...rest,
      category: classIds.indexOf(category_id),
    })),
  };
  return { content, orderIds: images.map((image) => image['order_id']) };
}
