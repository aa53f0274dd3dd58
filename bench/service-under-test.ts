import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { exchange, type Call, type Exchange } from './exchange';
import { peakMb, resetPeak, residentMb } from './memory';
import { ROOT } from './root';

const MAIN = path.join(ROOT, 'dist/src/main.js');
const PACKAGE = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
  readonly scripts: { readonly start: string };
};
/** How large the heap may grow, and how memory is taken from the system, as `npm start` says it. */
const START = PACKAGE.scripts.start.split(' ');
const HEAP = START.filter((word) => word.startsWith('--'));
const MALLOC = Object.fromEntries(
  START.filter((word) => word.startsWith('MALLOC_')).map((word) => word.split('=')),
) as Record<string, string>;
/** The channel between the two processes ends with this one, also by kill -9: nothing is left running. */
const END_WITH_PARENT = 'data:text/javascript,process.on("disconnect",()=>process.exit())';

export interface ServiceSettings {
  readonly databaseUrl: string;
  readonly mongodbUri?: string | undefined;
  /** What else is to be in its environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The built service as a process of its own, as `npm start` runs it. */
export class ServiceUnderTest {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
    /** All lines that it has logged, parsed. */
    readonly log: readonly LogLine[],
  ) {}

  /** Resolves when it is ready. @throws what it said when it ends before */
  static async start({ databaseUrl, mongodbUri, env }: ServiceSettings): Promise<ServiceUnderTest> {
    const child = fork(MAIN, ['serve'], {
      // A file `.env` of the project is none of its business.
      cwd: tmpdir(),
      env: {
        PATH: process.env['PATH'],
        PORT: '0',
        DATABASE_URL: databaseUrl,
        ...(mongodbUri !== undefined && { MONGODB_URI: mongodbUri }),
        // No sweep in the background falls into a measurement; the rig removes what a scenario leaves behind.
        SWEEP_INTERVAL_S: '0',
        ...MALLOC,
        ...env,
      },
      execArgv: [...HEAP, '--import', END_WITH_PARENT],
      silent: true,
    });
    const log: LogLine[] = [];
    return new ServiceUnderTest(child, await ready(child, log), log);
  }

  get pid(): number {
    return this.child.pid!; // it has started
  }

  send(call: Call): Promise<Exchange> {
    return exchange(this.url, call);
  }

  duplicate(source: string, target: string): Promise<Exchange> {
    return this.send({
      method: 'POST',
      path: '/training/tasks/duplication',
      json: { task_id_old: source, task_id: target },
    });
  }

  /** @param upload a COCO file, into a new task */
  import(target: string, upload: Readable, name = target): Promise<Exchange> {
    const path = `/training/tasks/${target}/coco?task_type=1&task_name=${name}`;
    return this.send({ method: 'PUT', path, upload });
  }

  resetPeak(): Promise<void> {
    return resetPeak(this.pid);
  }

  /** MB, since the last reset. */
  peakMb(): Promise<number> {
    return peakMb(this.pid);
  }

  residentMb(): Promise<number> {
    return residentMb(this.pid);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await ended;
  }
}

/** What the service logs: `message` is an event, or a sentence. */
export interface LogLine {
  readonly message: unknown;
}

/** @returns its address, which it prints when it is ready */
function ready(child: ChildProcess, log: LogLine[]): Promise<string> {
  return new Promise((resolve, reject) => {
    let [line, complaint] = ['', ''];
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (line + text).split('\n');
      line = lines.pop() ?? '';
      for (const complete of lines) {
        if (complete.startsWith('{')) log.push(JSON.parse(complete) as LogLine);
        const [, url] = /documentation +(\S+)\/docs$/.exec(complete) ?? [];
        if (url !== undefined) resolve(url);
      }
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (complaint += text));
    child.once('exit', () => reject(new Error(complaint.trim() || 'The service ended at its start.')));
  });
}
