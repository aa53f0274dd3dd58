import { setTimeout as sleep } from 'node:timers/promises';
import { inLanes } from './in-lanes';

/** Says that it was left. */
async function* numbers(count: number, onEnd: () => void): AsyncGenerator<number> {
  try {
    for (let at = 0; at < count; at++) {
      await sleep(1);
      yield at;
    }
  } finally {
    onEnd();
  }
}

describe('work in lanes', () => {
  it('is done once for each item, so many at once and no more', async () => {
    const done: number[] = [];
    let [running, most, ended] = [0, 0, 0];
    await inLanes(
      3,
      numbers(20, () => ended++),
      async (item) => {
        most = Math.max(most, ++running);
        await sleep(5);
        running--;
        done.push(item);
      },
    );
    expect(done.sort((one, other) => one - other)).toEqual([...Array(20).keys()]);
    expect({ most, ended }).toEqual({ most: 3, ended: 1 });
  });

  it('begins nothing after a failure, and waits for what has begun', async () => {
    const begun: number[] = [];
    let [running, ended] = [0, 0];
    const work = inLanes(
      2,
      numbers(20, () => ended++),
      async (item) => {
        begun.push(item);
        running++;
        await sleep(item === 1 ? 5 : 50);
        running--;
        if (item === 1) throw new Error('the first');
        throw new Error('a later one');
      },
    );
    await expect(work).rejects.toThrow('the first');
    expect({ begun, running, ended }).toEqual({ begun: [0, 1], running: 0, ended: 1 });
  });

  it('fails when the items do', async () => {
    async function* failing(): AsyncGenerator<number> {
      yield await Promise.resolve(1);
      throw new Error('no more');
    }
    await expect(inLanes(2, failing(), () => Promise.resolve())).rejects.toThrow('no more');
  });
});
