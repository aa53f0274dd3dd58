/** What so many clients have got done, each of which sends its next request when the last one is answered. */
export interface Load {
  readonly perSecond: number;
  /** Of those that succeeded. */
  readonly latenciesMs: readonly number[];
  readonly failures: readonly Error[];
}

export interface LoadLimits {
  readonly clients: number;
  /** No request is sent any more after that. */
  readonly ms: number;
  readonly requestsMax: number;
}

export async function closedLoop(
  { clients, ms, requestsMax }: LoadLimits,
  work: (client: number) => Promise<unknown>,
): Promise<Load> {
  const latenciesMs: number[] = [];
  const failures: Error[] = [];
  let left = requestsMax;
  const startedAt = performance.now();
  const run = async (client: number): Promise<void> => {
    while (left-- > 0 && performance.now() - startedAt < ms) {
      const sentAt = performance.now();
      try {
        await work(client);
        latenciesMs.push(performance.now() - sentAt);
      } catch (fault) {
        failures.push(fault as Error);
      }
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, client) => run(client)));
  const seconds = (performance.now() - startedAt) / 1_000;
  return { perSecond: latenciesMs.length / seconds, latenciesMs, failures };
}
