import type { EntityManager } from 'typeorm';

/** The first five digits of the id of every annotation document that this installation makes. */
export async function documentPrefix(manager: EntityManager): Promise<string> {
  const [row] = await manager.query<{ document_prefix: string }[]>(
    `SELECT document_prefix FROM installation`,
  );
  if (!row) throw new Error('installation has lost its row');
  return row.document_prefix;
}
