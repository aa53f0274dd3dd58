import type { EntityManager } from 'typeorm';

/** An image with its pointer and its place. */
export interface PlacedImage {
  readonly id: string;
  readonly orderId: number;
  /** From 1, by `order_id` among all images of the task. */
  readonly place: number;
  readonly mongoId: string | null;
}

/** The next images by `order_id`. In pages and not by a cursor, which would keep the connection from any other question. */
export function imagesAfter(
  manager: EntityManager,
  taskId: string,
  last: PlacedImage | undefined,
  count: number,
): Promise<PlacedImage[]> {
  return manager.query<PlacedImage[]>(
    `SELECT
       id, order_id AS "orderId", $3::int + row_number() OVER (ORDER BY order_id)::int AS place,
       mongo_id AS "mongoId"
     FROM image
     WHERE task_id = $1::bigint
       AND order_id > $2::int
     ORDER BY order_id
     LIMIT $4::int`,
    [taskId, last?.orderId ?? 0, last?.place ?? 0, count],
  );
}
