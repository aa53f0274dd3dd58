import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { eventually } from '../../support/eventually';

export const ROOT = path.resolve(__dirname, '../../..');
const MAIN = path.join(ROOT, 'dist/src/main.js');

export interface ProgramOptions {
  /** All that it sees of the environment, besides PATH and an empty HOME. */
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  readonly account?: Account | undefined;
  /** The built project to run, this one where nothing else is said. */
  readonly main?: string;
  /** What stands before the script on Node's command line. */
  readonly nodeArgs?: readonly string[];
}

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** How a program ended, and all that it said. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

const running = new Set<Program>();
const folders: string[] = [];
const leftovers: (() => Promise<unknown>)[] = [];

/** A child process, with what it has printed so far. */
export class Program {
  stdout = '';
  stderr = '';
  readonly ended: Promise<Ended>;

  private constructor(private readonly child: ChildProcessByStdio<null, Readable, Readable>) {
    child.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    running.add(this);
    this.ended = new Promise((resolve) => {
      child.on('close', (code, signal) => {
        running.delete(this);
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  /** Starts the built program. */
  static start(args: readonly string[], options: ProgramOptions = {}): Program {
    const { main = MAIN, nodeArgs = [] } = options;
    return Program.spawn(process.execPath, [...nodeArgs, main, ...args], options);
  }

  /** Any other program; in a process group of its own, as a shell starts it. */
  static spawn(command: string, args: readonly string[], options: ProgramOptions = {}): Program {
    const { env = {}, cwd = tmpdir(), account } = options;
    const child = spawn(command, args, {
      ...account,
      cwd,
      env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    return new Program(child);
  }

  get hasEnded(): boolean {
    return !running.has(this);
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** To the whole process group, as the terminal does on Ctrl-C. */
  killGroup(signal: NodeJS.Signals): void {
    process.kill(-this.child.pid!, signal);
  }

  /** Waits until it has printed this. */
  async prints(pattern: RegExp): Promise<RegExpExecArray> {
    return eventually(`the program prints ${String(pattern)}`, () => {
      const match = pattern.exec(this.stdout) ?? pattern.exec(this.stderr);
      if (!match && this.hasEnded) throw new Error(`the program has ended:\n${this.stdout}\n${this.stderr}`);
      return match ?? undefined;
    });
  }
}

/** Runs the built program to its end. */
export function run(args: readonly string[], options: ProgramOptions = {}): Promise<Ended> {
  return Program.start(args, options).ended;
}

/** Where nothing else is said it is open to every user, as a folder that somebody makes for the service. */
export async function tempFolder(mode = 0o755, owner?: Account): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'training-tasks-process-'));
  await chmod(folder, mode);
  if (owner) await chown(folder, owner.uid, owner.gid);
  folders.push(folder);
  return folder;
}

/** What must be undone even where a test fails. */
export function atCleanUp(undo: () => Promise<unknown>): void {
  leftovers.push(undo);
}

/** Ends what a test left running and removes its folders; for `afterAll`. */
export async function cleanUp(): Promise<void> {
  await Promise.all(
    [...running].map((program) => {
      program.kill('SIGTERM');
      return program.ended;
    }),
  );
  for (const undo of leftovers.splice(0)) await undo();
  // A server whose service was killed may still be writing.
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true, maxRetries: 20 });
}

/** A user without rights, where this process may become one and the project lies open to it. */
export function plainUser(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const [uid, gid] = ['-u', '-g'].map((flag) => Number(spawnSync('id', [flag, 'nobody']).stdout));
  if (!uid || !gid) return undefined;
  const readable = spawnSync(process.execPath, ['--check', MAIN], { uid, gid, cwd: '/' }).status === 0;
  return readable ? { uid, gid } : undefined;
}
