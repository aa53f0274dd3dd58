import type { EntityManager } from 'typeorm';

/** Runs a statement that writes. @returns how many rows it has written, as the server says: nothing is sent back for them */
export async function countAffected(
  manager: EntityManager,
  sql: string,
  parameters: readonly unknown[],
): Promise<number> {
  const { affected } = await manager.queryRunner!.query(sql, [...parameters], true); // a transaction has one
  return affected!; // an INSERT always says
}
