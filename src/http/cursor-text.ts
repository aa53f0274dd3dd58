import { ApiError } from '../errors/api-error';

const INT_MAX = 2 ** 31 - 1;

/** A cursor is opaque to clients: the parts of a position, joined and written in base64url. */
export function encodeCursor(...parts: (string | number)[]): string {
  return Buffer.from(parts.join(' ')).toString('base64url');
}

/** @throws ApiError NOT_A_CURSOR where it is not one that we made, in the form that `pattern` gives */
export function decodeCursor(cursor: string, pattern: RegExp): string[] {
  const match = pattern.exec(Buffer.from(cursor, 'base64url').toString('utf8'));
  if (!match) throw new ApiError('NOT_A_CURSOR', { member: 'cursor' });
  return match.slice(1);
}

/** A place in the order of a task's images: behind this `order_id`. */
export function decodeOrder(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  const orderId = Number(decodeCursor(cursor, /^([0-9]{1,10})$/)[0]);
  if (orderId > INT_MAX) throw new ApiError('NOT_A_CURSOR', { member: 'cursor' });
  return orderId;
}
