import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { to } from 'pg-copy-streams';
import { ask } from '../ask';
import { timed } from '../clock';
import type { Figure } from '../figure';
import type { Copy, Installation } from '../installation';
import { onPostgres } from '../servers';
import type { ServiceUnderTest } from '../service-under-test';
import type { Scenario } from '../scenario';

const GOAL = 1.5;
/** Below this, what does not depend on the size weighs too much. */
const GOAL_FROM = 100_000;
/** Of MB that a slow reader may make the service hold; the answer of a million images is 180 MB. */
const HELD_MB_MAX = 20;
const HELD_GOAL_FROM = 1_000_000;
const SLOW_MS = 3_000;
const SLOW_STEP_MS = 50;
const SLOW_BYTES_PER_S = 2 ** 20;

/** The answer of a copy that is there already, so that nothing but the answer is measured. */
export const answer: Scenario = {
  name: 'answer',
  about:
    'the same answer again, against COPY of the same JSON text out of PostgreSQL; readers that take little of it',
  runs: 'each',
  // A single pair meets whatever PostgreSQL does behind a large copy.
  isRepeatedAtEverySize: true,
  quick: [10_000],
  measure: async ({ installation, mode, size, runs, say }) => {
    say('copy');
    const copy = await installation.copy(size);
    const base = { scenario: 'answer', mode, size } as const;
    const floor: number[] = [];
    const lastByte: number[] = [];
    // All of a small answer would fit.
    const goal = size >= HELD_GOAL_FROM ? { goal: { atMost: HELD_MB_MAX } } : {};
    const firstByteMs: number[] = [];
    const slow = await installation.withService(async (service) => {
      // Both once, before anything is measured.
      await service.duplicate(copy.source.id, copy.id);
      await copyText(installation, copy);
      for (let run = 1; run <= runs; run++) {
        say(`${run} of ${runs}`);
        floor.push(await copyText(installation, copy));
        const { sentAt, firstByteAt, lastByteAt } = await service.duplicate(copy.source.id, copy.id);
        firstByteMs.push(firstByteAt - sentAt);
        lastByte.push((lastByteAt - sentAt) / 1_000);
      }
      say('slow readers');
      return [await slowReader(service, copy, 0), await slowReader(service, copy, SLOW_BYTES_PER_S)];
    });
    return [
      { ...base, what: 'floor: COPY of the text', unit: 's', values: floor },
      { ...base, what: 'product: last byte', unit: 's', values: lastByte },
      { ...base, what: 'product: first byte', unit: 'ms', values: firstByteMs },
      {
        ...base,
        what: 'product / floor',
        unit: 'x',
        values: lastByte.map((seconds, run) => seconds / floor[run]!), // both sides are in every run
        ...(size >= GOAL_FROM && { goal: { atMost: GOAL } }),
      },
      { ...base, what: 'memory held for a reader of nothing', unit: 'MB', values: [slow[0]!], ...goal }, // two were measured
      { ...base, what: 'memory held for a reader of 1 MB/s', unit: 'MB', values: [slow[1]!], ...goal },
    ] satisfies Figure[];
  },
};

/** What PostgreSQL needs to produce the text, read and thrown away by a bare client. */
function copyText({ databaseUrl }: Installation, { id }: Copy): Promise<number> {
  return onPostgres(databaseUrl, (client) =>
    timed(async () => {
      const text = client.query(to(`COPY (${ITEMS} WHERE task_id = ${id} ORDER BY order_id) TO STDOUT`));
      await once(text.resume(), 'end');
    }),
  );
}

/** Put together as text: by json_build_object() it takes a quarter longer. */
const ITEMS = `
  SELECT concat(
    '{"set_type":', set_type, ',"img_name":', to_json(name), ',"img_id":"', id, '","width":', width,
    ',"height":', height, ',"state":', coalesce(to_json(state)::text, 'null'), ',"order_id":', order_id,
    ',"mongo_id":', coalesce(to_json(mongo_id)::text, 'null'), '}'
  )
  FROM image`;

/** @returns MB by which the service is larger at its peak, while somebody reads that slowly, than before */
async function slowReader(service: ServiceUnderTest, copy: Copy, bytesPerS: number): Promise<number> {
  await service.resetPeak();
  const before = await service.residentMb();
  const response = await ask(service, copy.source.id, copy.id);
  for (let ms = 0; ms < SLOW_MS; ms += SLOW_STEP_MS) {
    if (bytesPerS > 0) response.read((bytesPerS * SLOW_STEP_MS) / 1_000);
    await sleep(SLOW_STEP_MS);
  }
  const peak = await service.peakMb();
  response.destroy();
  return peak - before;
}
