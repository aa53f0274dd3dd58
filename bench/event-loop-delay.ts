import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { ROOT } from './root';

const PROBE = path.join(ROOT, 'bench/event-loop-probe.mjs');
/** Has nothing to do, and ends with the process that has started it. */
const IDLE = 'process.on("disconnect", () => process.exit())';

/** In milliseconds; of a timer of 10 ms, which is in them. */
export interface EventLoopDelay {
  readonly p99: number;
  readonly max: number;
}

/** A process that is the subject of a measurement, and an idle one beside it: how late the event loop of each is. */
export class EventLoopProbes {
  private constructor(
    private readonly folder: string,
    private readonly idle: ChildProcess,
  ) {}

  static async open(): Promise<EventLoopProbes> {
    const folder = await mkdtemp(path.join(tmpdir(), 'training-tasks-probe-'));
    const idle = spawn(process.execPath, ['--eval', IDLE], {
      env: environmentOf(path.join(folder, 'idle')),
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    await once(idle, 'spawn');
    return new EventLoopProbes(folder, idle);
  }

  /** What the subject is to be started with. */
  get environment(): Record<string, string> {
    return environmentOf(path.join(this.folder, 'subject'));
  }

  /** Since the last call, or since the start of the process. */
  async read(): Promise<{ readonly subject: EventLoopDelay; readonly idle: EventLoopDelay }> {
    const [subject, idle] = await Promise.all(['subject', 'idle'].map((name) => this.ask(name)));
    return { subject: subject!, idle: idle! }; // two were asked
  }

  async close(): Promise<void> {
    const ended = once(this.idle, 'exit');
    this.idle.kill();
    await ended;
    await rm(this.folder, { recursive: true, force: true });
  }

  private async ask(name: string): Promise<EventLoopDelay> {
    const socket = connect(path.join(this.folder, name));
    return JSON.parse(await text(socket)) as EventLoopDelay;
  }
}

function environmentOf(socket: string): Record<string, string> {
  return { NODE_OPTIONS: `--import ${pathToFileURL(PROBE).href}`, EVENT_LOOP_PROBE: socket };
}
