import mongoose from 'mongoose';

const { DBRef, Long, Timestamp } = mongoose.mongo;
const { EJSON } = mongoose.mongo.BSON;

/**
 * A value that the driver has read, as one that JSON.stringify writes sensibly: an int64 as a number or, where a number
 * would lose digits, as a string; dates, decimals, binary and whatever else JSON has not as relaxed Extended JSON.
 */
export function toJson(value: unknown): unknown {
  if (isJson(value)) return value;
  if (Array.isArray(value)) return value.map(toJson);
  if (isPlainObject(value)) return membersToJson(value);
  if (value instanceof DBRef) return referenceToJson(value);
  // The driver makes numbers of the int64 that are safe; what is left is a Long.
  if (value instanceof Long && !(value instanceof Timestamp)) return String(value);
  return EJSON.serialize(value, { relaxed: true });
}

function membersToJson(members: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).map(([name, member]) => [name, toJson(member)]));
}

/** The driver takes any object with `$ref` and `$id` for one, also where somebody has but named members so. */
function referenceToJson({
  collection,
  oid,
  db,
  fields,
}: InstanceType<typeof DBRef>): Record<string, unknown> {
  return membersToJson({ $ref: collection, $id: oid, ...(db !== undefined && { $db: db }), ...fields });
}

/** Of a value that holds no others. NaN and the infinities would become null. */
function isJson(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value !== 'object' || value === null;
}

/** The driver's own types are of classes. */
function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
