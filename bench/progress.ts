import { SingleBar } from 'cli-progress';
import type { Job } from './jobs';
import { formatSize } from './size';

const FORMAT = '{bar} {value}/{total} {job} {what}';

/** A bar on the terminal, on standard error; a line for each job where there is no terminal. */
export class Progress {
  private readonly bar = new SingleBar({
    format: FORMAT,
    hideCursor: true,
    clearOnComplete: true,
    barsize: 20,
  });
  private done = -1;

  constructor(jobs: number) {
    this.bar.start(jobs, 0, { job: 'servers', what: '' });
  }

  begin({ scenario, mode, size }: Job): void {
    const job = `${scenario.name} ${mode} ${formatSize(size)}`;
    this.bar.update(++this.done, { job, what: '' });
    if (!process.stderr.isTTY) console.error(job);
  }

  say(what: string): void {
    this.bar.update({ what });
  }

  stop(): void {
    this.bar.stop();
  }
}
