import type { CopiedLabelClass } from './label-class.repository';

/** New ids of classes in the order of the old ones, from `firstId` on; 0 where no class has the id. */
export interface ClassSubscripts {
  readonly firstId: number;
  readonly newIds: readonly number[];
}

/** More than a task has by itself, and not so much that it costs to send. */
const SUBSCRIPTS_MAX = 4_000;

/**
 * The ids of a task's classes mostly follow each other: then an old id is a subscript of the new ones, which both databases
 * find in no time; a class looked up by its id costs a sixth of a copy. null where they are scattered.
 */
export function classSubscripts(labelClasses: readonly CopiedLabelClass[]): ClassSubscripts | null {
  const sourceIds = labelClasses.map(({ sourceId }) => sourceId).sort((a, b) => a - b);
  const [firstId, lastId] = [sourceIds[0], sourceIds.at(-1)];
  if (firstId === undefined || lastId === undefined || lastId - firstId >= SUBSCRIPTS_MAX) return null;
  const newIds = new Map(labelClasses.map(({ sourceId, id }) => [sourceId, id]));
  return {
    firstId,
    newIds: Array.from({ length: lastId - firstId + 1 }, (_, at) => newIds.get(firstId + at) ?? 0),
  };
}
