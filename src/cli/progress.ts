import { Transform } from 'node:stream';
import { SingleBar } from 'cli-progress';

/** A bar on the terminal while bytes go by; nothing where there is no terminal. */
export class ByteProgress {
  private readonly bar: SingleBar;

  constructor(what: string, totalBytes: number | undefined) {
    const format =
      totalBytes === undefined
        ? `${what} {mb} MB, {duration_formatted}`
        : `${what} {bar} {percentage} % of {total_mb} MB, {eta_formatted} left`;
    this.bar = new SingleBar({ format, hideCursor: true, clearOnComplete: true, etaBuffer: 100 });
    this.bar.start(totalBytes ?? 1, 0, { mb: '0', total_mb: inMb(totalBytes ?? 0) });
  }

  /** Counts what flows through. */
  through(): Transform {
    let bytes = 0;
    return new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        bytes += chunk.length;
        this.bar.update(bytes, { mb: inMb(bytes) });
        done(null, chunk);
      },
    });
  }

  stop(): void {
    this.bar.stop();
  }
}

function inMb(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
