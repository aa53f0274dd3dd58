import { Transform } from 'class-transformer';
import { Check, MayBeAbsent } from './validation';

const LIMIT_DEFAULT = 100;

/** A whole number from 1 to 1000 as a query writes it; anything else becomes NaN, which no check lets pass. */
function toLimit(value: unknown): number {
  return typeof value === 'string' && /^[1-9][0-9]{0,3}$/.test(value) ? Number(value) : Number.NaN;
}

const isLimit = (value: unknown) => typeof value === 'number' && value >= 1 && value <= 1000;
const isCursor = (value: unknown) => typeof value === 'string' && /^[\w-]{1,200}$/.test(value);

export class PageQuery {
  /**
   * how many, from 1 to 1000
   * @example 100
   */
  @MayBeAbsent()
  @Check('NOT_A_LIMIT', isLimit)
  @Transform(({ value }) => toLimit(value))
  limit?: number;

  /** the `next_cursor` of the page before */
  @MayBeAbsent()
  @Check('NOT_A_CURSOR', isCursor)
  cursor?: string;
}

export function limitOf({ limit }: PageQuery): number {
  return limit ?? LIMIT_DEFAULT;
}

/** A page is read with one row over the limit: that row says that there is more, and is not shown. */
export function cutPage<Row>(
  rows: Row[],
  limit: number,
  cursorOf: (last: Row) => string,
): { items: Row[]; nextCursor: string | null } {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: rows.length > limit && last !== undefined ? cursorOf(last) : null };
}
