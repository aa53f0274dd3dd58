/** Whether PostgreSQL, MongoDB and JSON can all hold a value, and how large it is in the largest of their forms. */
export type JsonProblem = 'number' | 'text' | 'depth';

/** mongod takes about 178 levels. */
export const DEPTH_MAX = 100;

/** Thrown by `bsonBytes`; a caller says where it was. */
export class UnstorableJson extends Error {
  constructor(readonly problem: JsonProblem) {
    super(problem);
  }
}

/**
 * The bytes of a parsed JSON value as BSON (https://bsonspec.org/spec.html), without its own type and name.
 * `depth`: how many levels it stands in already, itself included.
 * @throws UnstorableJson for an integer beyond ±2^53 or an overflow (both lose digits), for text with a NUL or half of a
 * surrogate pair, and for more than 100 levels
 */
export function bsonBytes(value: unknown, depth: number): number {
  switch (typeof value) {
    case 'number':
      return numberBytes(value);
    case 'string':
      return textBytes(value) + 5;
    case 'boolean':
      return 1;
    default:
      return value === null ? 0 : containerBytes(value as object, depth);
  }
}

function numberBytes(value: number): number {
  if ((value | 0) === value && !Object.is(value, -0)) return 4;
  if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) {
    throw new UnstorableJson('number');
  }
  return 8;
}

function textBytes(value: string): number {
  if (!value.isWellFormed() || value.includes('\0')) throw new UnstorableJson('text');
  return Buffer.byteLength(value);
}

function containerBytes(container: object, depth: number): number {
  if (depth > DEPTH_MAX) throw new UnstorableJson('depth');
  let bytes = 5;
  if (Array.isArray(container)) {
    // The names of an array's elements are their indices.
    for (let at = 0; at < container.length; at++) {
      const element: unknown = container[at];
      // Nearly all that there is are numbers.
      bytes +=
        digits(at) + 2 + (typeof element === 'number' ? numberBytes(element) : bsonBytes(element, depth + 1));
    }
    return bytes;
  }
  for (const name of Object.keys(container))
    bytes +=
      textBytes(name) + 2 + bsonBytes((container as Readonly<Record<string, unknown>>)[name], depth + 1);
  return bytes;
}

function digits(index: number): number {
  return index < 10 ? 1 : index < 100 ? 2 : index < 1000 ? 3 : String(index).length;
}
