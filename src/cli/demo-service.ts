import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DEFAULTS } from '../config/environment';
import { StartError } from '../config/start-error';
import { ServiceClient } from './service-client';

const MAIN = join(__dirname, '../main.js');
/** The channel between the two processes ends with the demo, also by kill -9: nothing is left running. */
const END_WITH_PARENT = 'data:text/javascript,process.on("disconnect",()=>process.exit())';

/** The service as a process of its own, on a database in a folder of its own: so it can be killed. */
export class DemoService {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
    private readonly sockets: string | undefined,
  ) {}

  /** Resolves when it is ready. @throws StartError with what it said */
  static async start(folder: string): Promise<DemoService> {
    const child = fork(MAIN, ['serve'], {
      // A file `.env` is looked for where the process is.
      cwd: folder,
      env: { ...environmentWithoutSettings(), PORT: '0', DATA_DIR: folder },
      execArgv: ['--import', END_WITH_PARENT],
      silent: true,
    });
    return new DemoService(child, await ready(child), await socketFolder(folder));
  }

  get client(): ServiceClient {
    return new ServiceClient(this.url);
  }

  /** Resolves when it has ended. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill(signal);
    await ended;
  }

  /** What a killed service leaves behind, once its database has gone as well. */
  async clear(): Promise<void> {
    if (this.sockets) await rm(this.sockets, { recursive: true, force: true });
  }
}

/** By PostgreSQL's own lock file; undefined where the data had to go to another folder. */
async function socketFolder(folder: string): Promise<string | undefined> {
  const lock = await readFile(join(folder, 'postgresql/postmaster.pid'), 'utf8').catch(() => '');
  return lock.split('\n')[4];
}

function environmentWithoutSettings(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !(name in DEFAULTS)));
}

/** @returns its address, which it prints when it is ready */
function ready(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let [said, complaint] = ['', ''];
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const [, url] = /documentation +(\S+)\/docs\n/.exec(said) ?? [];
      if (url !== undefined) resolve(url);
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (complaint += text));
    child.once('exit', () => reject(new StartError(complaint.trim() || 'The service ended at its start.')));
  });
}
