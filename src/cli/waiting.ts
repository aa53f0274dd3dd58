import { SingleBar } from 'cli-progress';

/** Shows that something goes on, and for how long, while `work` runs; `describe` may ask how far it is. */
export async function whileWaiting<T>(
  work: Promise<T>,
  describe: () => Promise<string> | string,
): Promise<T> {
  const bar = new SingleBar({
    format: '{what} {duration_formatted}',
    hideCursor: true,
    clearOnComplete: true,
  });
  let what = '';
  bar.start(1, 0, { what });
  const timer = setInterval(() => {
    void Promise.resolve(describe()).then((text) => (what = text));
    bar.update(0, { what });
  }, 1_000);
  try {
    return await work;
  } finally {
    clearInterval(timer);
    bar.stop();
  }
}
