/**
 * Does `work` on every item, a few of them at once. After a failure nothing new is begun, and what has begun is waited for:
 * when this throws, nothing is on its way any more.
 */
export async function inLanes<T>(
  lanes: number,
  items: AsyncGenerator<T>,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const failures: unknown[] = [];
  const runLane = async (): Promise<void> => {
    try {
      for (;;) {
        const next = await items.next();
        if (next.done || failures.length > 0) return;
        await work(next.value);
      }
    } catch (failure) {
      failures.push(failure);
    }
  };
  await Promise.all(Array.from({ length: lanes }, runLane));
  await items.return(undefined);
  if (failures.length > 0) throw failures[0];
}
