import { ValidateBy, ValidateIf } from 'class-validator';
import type { ErrorName } from '../errors/errors';

/** A property decorator that refuses with an error of the registry, whose `{member}` is the property. */
export function Check(error: ErrorName, passes: (value: unknown) => boolean): PropertyDecorator {
  return ValidateBy({ name: error, validator: { validate: passes } });
}

/** May be left out; null is a value, not an absence, and is checked. */
export function MayBeAbsent(): PropertyDecorator {
  return ValidateIf((_, value) => value !== undefined);
}

const ID_MAX = '9223372036854775807';

/** 19 digits, the first not 0, within 64 bits; strings of one length compare as the numbers do. */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && /^[1-9][0-9]{18}$/.test(value) && value <= ID_MAX;
}

/** Text that PostgreSQL and JSON can both hold: no NUL, no half of a surrogate pair. */
function isStorable(value: string): boolean {
  return !value.includes('\0') && value.isWellFormed();
}

/** Characters are code points. */
export function isName(value: unknown, lengthMax: number): value is string {
  if (typeof value !== 'string' || value.length > 2 * lengthMax || !isStorable(value)) return false;
  const { length } = [...value];
  return length >= 1 && length <= lengthMax;
}

export const IsTaskId = () => Check('NOT_A_TASK_ID', isId);
export const IsImageId = () => Check('NOT_AN_IMAGE_ID', isId);
/** Of a document, or null for none. */
export const IsMongoId = () =>
  Check(
    'NOT_A_MONGO_ID',
    (value) => value === null || (typeof value === 'string' && /^[0-9a-f]{24}$/i.test(value)),
  );
export const IsTaskName = () => Check('NOT_A_NAME', (value) => isName(value, 200));
export const IsTaskType = () =>
  Check('NOT_A_TASK_TYPE', (value) => value === 1 || value === 2 || value === 3);

/** A member's name as a client sent it, short and whole enough for a message. */
export function printable(member: string): string {
  const short = member.length > 40 ? `${member.slice(0, 40)}…` : member;
  return short.toWellFormed();
}
