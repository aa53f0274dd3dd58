import { Places } from './places';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

/** Takes one, and notes by name when and whether it was had. */
function taker(places: Places, log: string[]) {
  return (name: string, waitMs = 1_000) =>
    places.take(waitMs).then((hasPlace) => log.push(`${name} ${hasPlace ? 'has one' : 'has none'}`));
}

it('gives as many as there are, and the next one to who waits longest', async () => {
  const [places, log] = [new Places(2), [] as string[]];
  const take = taker(places, log);
  for (const name of ['a', 'b', 'c', 'd', 'e']) void take(name);
  await jest.advanceTimersByTimeAsync(0);
  expect(log).toEqual(['a has one', 'b has one']);
  places.leave();
  places.leave();
  await jest.advanceTimersByTimeAsync(0);
  expect(log.slice(2)).toEqual(['c has one', 'd has one']);
});

it('lets nobody wait longer than he wants, and leaves no place to who has gone', async () => {
  const [places, log] = [new Places(1), [] as string[]];
  const take = taker(places, log);
  void take('a');
  void take('b', 100);
  void take('c', 300);
  await jest.advanceTimersByTimeAsync(200);
  expect(log).toEqual(['a has one', 'b has none']);
  places.leave();
  await jest.advanceTimersByTimeAsync(200);
  expect(log.slice(2)).toEqual(['c has one']);
  expect(jest.getTimerCount()).toBe(0);
});

it('keeps what nobody waits for', async () => {
  const [places, log] = [new Places(1), [] as string[]];
  const take = taker(places, log);
  await take('a');
  places.leave();
  await take('b');
  await Promise.all([take('c', 10), jest.advanceTimersByTimeAsync(10)]);
  expect(log).toEqual(['a has one', 'b has one', 'c has none']);
});
