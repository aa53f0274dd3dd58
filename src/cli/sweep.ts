import type { Environment } from '../config/environment';
import { sweepOnce } from '../sweep-once';

/** Does what the sweeper of a running service does in the background, once, and tells what it was. */
export async function sweep(environment: Environment): Promise<void> {
  const { dead, ranges, documents } = await sweepOnce(environment);
  const what = [
    counted(dead, 'task whose writes had died', 'tasks whose writes had died'),
    counted(ranges, 'range of document ids', 'ranges of document ids'),
    counted(documents, 'document removed', 'documents removed'),
  ];
  console.log(`Swept: ${what.join(', ')}.`);
}

function counted(count: number, one: string, many: string): string {
  return `${String(count)} ${count === 1 ? one : many}`;
}
