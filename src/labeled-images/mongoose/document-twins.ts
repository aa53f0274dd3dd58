import mongoose from 'mongoose';

const { BSON } = mongoose.mongo;
const { parseToElements, NumberUtils } = BSON.onDemand;

/** https://bsonspec.org/spec.html */
const TYPE = { document: 3, array: 4, int32: 16, int64: 18 } as const;

/** A document of a copy and the source's, and what the ids of the one are in the other. */
export interface Twins {
  readonly copy: Uint8Array;
  readonly original: Uint8Array;
  /** Of the copy and of the source. */
  readonly taskIds: IdPair;
  readonly imageIds: IdPair;
  /** The source's by the copy's. */
  readonly roiIds: ReadonlyMap<bigint, bigint>;
  readonly classIds: ReadonlyMap<number, number>;
}

type IdPair = readonly [copy: bigint, original: bigint];

/** A member of a document as it is stored. */
interface Member {
  readonly type: number;
  readonly name: Buffer;
  readonly value: Buffer;
}

/**
 * Whether the one is the copy of the other. Compared as they are stored, byte for byte but for the ids: a number of another
 * type or a member in another place is a difference, which neither JavaScript's numbers nor MongoDB's `$eq` would show.
 */
export function areTwins(twins: Twins): boolean {
  return haveSameMembers(twins.copy, twins.original, (copy, original) => {
    switch (String(copy.name)) {
      case '_id':
        return true; // It was found by this.
      case 'task_id':
        return isPair(copy, original, twins.taskIds);
      case 'img_id':
        return isPair(copy, original, twins.imageIds);
      case 'img_roi_id':
        return isSameRoi(copy, original, twins);
      case 'annotations':
        return haveSameAnnotations(copy, original, twins);
      default:
        return isEqual(copy, original);
    }
  });
}

/** null where a document has none. */
export function roiIdOf(document: Uint8Array): bigint | null {
  const member = membersOf(document).find(({ name }) => String(name) === 'img_roi_id');
  return member ? toInt64(member) : null;
}

function isSameRoi(copy: Member, original: Member, { roiIds }: Twins): boolean {
  const [id, originalId] = [toInt64(copy), toInt64(original)];
  if (id === null || originalId === null) return isEqual(copy, original);
  return roiIds.get(id) === originalId;
}

function haveSameAnnotations(copy: Member, original: Member, { classIds }: Twins): boolean {
  if (copy.type !== TYPE.array || original.type !== TYPE.array) return isEqual(copy, original);
  return haveSameMembers(copy.value, original.value, (annotation, originalAnnotation) =>
    isSameAnnotation(annotation, originalAnnotation, classIds),
  );
}

function isSameAnnotation(copy: Member, original: Member, classIds: ReadonlyMap<number, number>): boolean {
  if (copy.type !== TYPE.document || original.type !== TYPE.document) return isEqual(copy, original);
  return haveSameMembers(copy.value, original.value, (member, originalMember) => {
    if (String(member.name) !== 'lab_class_id') return isEqual(member, originalMember);
    // A copy's class is an int32; somebody else may have written the source's as any number.
    if (member.type !== TYPE.int32) return false;
    return (
      classIds.get(NumberUtils.getInt32LE(member.value, 0)) === toClassId(originalMember, original.value)
    );
  });
}

function toClassId({ type, value }: Member, annotation: Buffer): number {
  if (type === TYPE.int32) return NumberUtils.getInt32LE(value, 0);
  return Number(String(BSON.deserialize(annotation)['lab_class_id']));
}

function haveSameMembers(
  copy: Uint8Array,
  original: Uint8Array,
  isSame: (copy: Member, original: Member) => boolean,
): boolean {
  const [members, originalMembers] = [membersOf(copy), membersOf(original)];
  return (
    members.length === originalMembers.length &&
    members.every((member, at) => {
      const originalMember = originalMembers[at]!; // as many
      return member.name.equals(originalMember.name) && isSame(member, originalMember);
    })
  );
}

function membersOf(document: Uint8Array): Member[] {
  const bytes = Buffer.from(document.buffer, document.byteOffset, document.byteLength);
  return [...parseToElements(bytes)].map(([type, nameOffset, nameLength, offset, length]) => ({
    type,
    name: bytes.subarray(nameOffset, nameOffset + nameLength),
    value: bytes.subarray(offset, offset + length),
  }));
}

function isEqual(copy: Member, original: Member): boolean {
  return copy.type === original.type && copy.value.equals(original.value);
}

function isPair(copy: Member, original: Member, [id, originalId]: IdPair): boolean {
  return toInt64(copy) === id && toInt64(original) === originalId;
}

function toInt64({ type, value }: Member): bigint | null {
  return type === TYPE.int64 ? value.readBigInt64LE() : null;
}
