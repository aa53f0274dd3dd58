import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { streamText } from './streamed-answer';

/** A piece of 64 KiB, for which a reader may take 1,024 ms. */
const PIECE = 'x'.repeat(65_536);
const CUT = 'the reader takes too little';
const NEVER_MS = 1e9;

// A stream goes on by ticks, which do not wait for the clock.
beforeEach(() => jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] }));
afterEach(() => jest.useRealTimers());

/** An answer of so many pieces, and how long each takes to be made and to be taken. */
interface Exchange {
  readonly pieces: number;
  readonly makeMs?: number;
  readonly takeMs: (taken: number) => number;
}

/** What has become of the answer after so long, and when. */
async function outcome({ pieces, makeMs = 0, takeMs }: Exchange, afterMs: number): Promise<object> {
  async function* made(): AsyncGenerator<string> {
    for (let at = 0; at < pieces; at++) {
      if (makeMs > 0) await sleep(makeMs);
      yield PIECE;
    }
  }
  let taken = 0;
  const reader = new Writable({
    highWaterMark: 1,
    write: (_chunk, _encoding, done) => void sleep(takeMs(taken++)).then(() => done()),
  });
  const answer = streamText(made());
  await jest.advanceTimersByTimeAsync(makeMs);
  const startedAt = performance.now();
  let result: object = { end: 'none' };
  const note = (end: string) =>
    (result = { end, second: Math.round((performance.now() - startedAt) / 1_000) });
  pipeline((await answer).getStream(), reader).then(
    () => note('whole'),
    (fault: unknown) => note((fault as Error).message),
  );
  await jest.advanceTimersByTimeAsync(afterMs);
  return result;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

describe('an answer', () => {
  it('is whole for a reader that takes just enough, however long that lasts', async () => {
    const exchange = { pieces: 1_000, takeMs: () => 1_024 };
    expect(await outcome(exchange, 1_100_000)).toEqual({ end: 'whole', second: 1_024 });
  });

  it('is cut where nothing is taken for 60 s', async () => {
    const stalled = { pieces: 10, takeMs: () => NEVER_MS };
    expect(await outcome(stalled, 59_000)).toEqual({ end: 'none' });
    expect(await outcome(stalled, 61_000)).toEqual({ end: CUT, second: 60 });
  });

  it('is cut where too little is taken, once 60 s are lost by that', async () => {
    // Each piece loses 976 ms: after 60 of them there are 1,440 left for one that takes 2,000.
    const slow = { pieces: 1_000, takeMs: () => 2_000 };
    expect(await outcome(slow, 1_000_000)).toEqual({ end: CUT, second: 121 });
  });

  it('is cut just as soon where much was taken before', async () => {
    const tired = { pieces: 1_000, takeMs: (taken: number) => (taken < 500 ? 10 : NEVER_MS) };
    expect(await outcome(tired, 1_000_000)).toEqual({ end: CUT, second: 65 });
  });

  it('is whole where a stall was made up for', async () => {
    const uneven = { pieces: 500, takeMs: (taken: number) => (taken % 100 === 50 ? 50_000 : 10) };
    expect(await outcome(uneven, 1_000_000)).toEqual({ end: 'whole', second: 255 });
  });

  it('is whole where it is the answer that takes its time', async () => {
    const late = { pieces: 3, makeMs: 100_000, takeMs: () => 10 };
    expect(await outcome(late, 1_000_000)).toEqual({ end: 'whole', second: 200 });
  });
});
