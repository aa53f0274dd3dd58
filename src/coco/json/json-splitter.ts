import { ElementReader } from './element-reader';
import type { JsonPiece } from './json-piece';
import { JsonSyntaxError } from './json-syntax-error';
import { JsonValueScanner } from './json-value-scanner';
import { SPLIT_BOUNDS, type SplitBounds, type SplitOptions } from './split-options';
import { type JsonPlace, type JsonProblem, UnusableJson } from './unusable-json';
import { Utf8Check } from './utf8-check';
import { WholeReader } from './whole-reader';

const WHITESPACE = ' \t\n\r';
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
/** For values that only have to be JSON: 8 MB of open brackets. */
const CHECKED_DEPTH_MAX = 2 ** 20;

/** What leads from one state of the frame to the next. Where it is none of these, a value or a name begins. */
const FRAME = {
  file: { '{': 'firstName' },
  firstName: { '}': 'end' },
  name: {},
  afterName: { ':': 'member' },
  member: {},
  afterMember: { ',': 'name', '}': 'end' },
  firstElement: { ']': 'afterMember' },
  element: {},
  afterElement: { ',': 'element', ']': 'afterMember' },
  end: {},
} as const;

type State = keyof typeof FRAME;

/** Reads a value that has begun, through all chunks to its end. */
interface Reader {
  readonly ended: boolean;
  /** @returns the index behind the value's last byte, the chunk's length if it goes on */
  scan(chunk: Buffer, from: number, chunkOffset: number): number;
}

interface Reading {
  readonly reader: Reader;
  readonly whenEnded: () => void;
}

/**
 * Knows the frame of the file: the outermost object, and in it the arrays that were asked for. What is inside is left
 * to readers: ElementReader for elements, WholeReader for names and kept members, JsonValueScanner for what only has
 * to be JSON.
 */
export class JsonSplitter<Plain> {
  private readonly bounds: SplitBounds;
  private readonly elements: ElementReader<Plain>;
  private readonly utf8 = new Utf8Check();
  private readonly seen = new Set<string>();
  private state: State = 'file';
  private reading: Reading | undefined;
  /** The file is another value than an object: said at its end, for it may turn out to be no JSON. */
  private fileFault: UnusableJson | undefined;
  private chunk: Buffer = Buffer.alloc(0);
  private chunkOffset = 0;
  private pieces: JsonPiece<Plain>[] = [];
  private arrayBegan = false;
  private member = '';
  private index = 0;

  constructor(private readonly options: SplitOptions<Plain>) {
    this.bounds = { ...SPLIT_BOUNDS, ...options };
    this.elements = new ElementReader(this.bounds, options.plainReader ?? (() => null));
  }

  /** @returns what was read to its end in this chunk; where an array begins, nothing behind it has been read yet */
  *read(chunk: Buffer): Generator<JsonPiece<Plain>[]> {
    const fault = this.utf8.findFault(chunk);
    const offset = this.chunkOffset + (fault ?? 0);
    yield* this.readText(fault === undefined ? chunk : chunk.subarray(0, Math.max(fault, 0)));
    if (fault !== undefined) this.breakOff(offset);
  }

  /** To be called at the end of the file. */
  end(): void {
    const { reader, whenEnded } = this.reading ?? {};
    // A number has no last byte of its own, so a file that is nothing else ends here.
    if (this.state === 'file' && reader instanceof JsonValueScanner && reader.mayEnd) whenEnded?.();
    if (this.state !== 'end') this.breakOff(this.chunkOffset);
    if (this.fileFault !== undefined) throw this.fileFault;
  }

  private *readText(chunk: Buffer): Generator<JsonPiece<Plain>[]> {
    this.chunk = chunk;
    let at = 0;
    while (at < chunk.length) {
      at = this.reading === undefined ? this.readFrame(at) : this.readOn(this.reading, at);
      if (this.arrayBegan) yield this.takePieces();
    }
    this.chunkOffset += chunk.length;
    yield this.takePieces();
  }

  private takePieces(): JsonPiece<Plain>[] {
    const { pieces } = this;
    this.pieces = [];
    this.arrayBegan = false;
    return pieces;
  }

  /** The text can't go on at `offset`; but what was read of an element has not been checked, and comes first. */
  private breakOff(offset: number): never {
    if (this.reading?.reader === this.elements) this.elements.checkHeld();
    throw new JsonSyntaxError(offset);
  }

  private readFrame(at: number): number {
    const char = String.fromCharCode(this.chunk[at] ?? 0);
    if (WHITESPACE.includes(char)) return at + 1;
    const moves: Readonly<Record<string, State>> = FRAME[this.state];
    const next = moves[char];
    if (next === undefined) return this.begin(char, at);
    this.state = next;
    return at + 1;
  }

  private readOn({ reader, whenEnded }: Reading, at: number): number {
    const end = reader.scan(this.chunk, at, this.chunkOffset);
    if (reader.ended) {
      this.reading = undefined;
      whenEnded();
    }
    return end;
  }

  /** @returns where to read on */
  private begin(char: string, at: number): number {
    const offset = this.chunkOffset + at;
    switch (this.state) {
      case 'file':
        return this.beginFile(char, at, { offset });
      case 'firstName':
      case 'name':
        return this.beginName(char, at, { offset });
      case 'member':
        return this.beginMember(char, at, { offset, member: this.member });
      case 'firstElement':
      case 'element':
        return this.beginElement(char, at, { offset, member: this.member, index: this.index });
      default:
        throw new JsonSyntaxError(offset);
    }
  }

  private beginFile(char: string, at: number, place: JsonPlace): number {
    if (char.charCodeAt(0) === BYTE_ORDER_MARK[place.offset]) return at + 1;
    return this.check(at, 'no-object', place, () => {
      this.fileFault = new UnusableJson('no-object', place);
      this.state = 'end';
    });
  }

  private beginName(char: string, at: number, place: JsonPlace): number {
    if (char !== '"') throw new JsonSyntaxError(place.offset);
    const name = new WholeReader(this.bounds, 'name-too-long', place);
    return this.readWith(name, at, () => this.endName(name.value as string, place));
  }

  private endName(name: string, place: JsonPlace): void {
    if (this.options.arrays.includes(name) || this.options.kept.includes(name)) {
      if (this.seen.has(name)) throw new UnusableJson('repeated-member', { ...place, member: name });
      this.seen.add(name);
    }
    this.member = name;
    this.state = 'afterName';
  }

  private beginMember(char: string, at: number, place: JsonPlace): number {
    if (this.options.arrays.includes(this.member)) return this.beginArray(char, at, place);
    return this.options.kept.includes(this.member) ? this.keep(at, place) : this.ignore(at, place);
  }

  private beginArray(char: string, at: number, place: JsonPlace): number {
    if (char !== '[') return this.refuse(at, 'member-no-array', place);
    this.pieces.push({ kind: 'array', member: this.member });
    this.arrayBegan = true;
    this.index = 0;
    this.state = 'firstElement';
    return at + 1;
  }

  private keep(at: number, place: JsonPlace): number {
    const { member } = this;
    const whole = new WholeReader(this.bounds, 'member-too-large', place);
    return this.readWith(whole, at, () => this.endMember({ kind: 'value', member, value: whole.value }));
  }

  private ignore(at: number, place: JsonPlace): number {
    const { member } = this;
    return this.check(at, 'member-too-deep', place, () => this.endMember({ kind: 'ignored', member }));
  }

  private endMember(piece: JsonPiece<Plain>): void {
    this.pieces.push(piece);
    this.state = 'afterMember';
  }

  private beginElement(char: string, at: number, place: JsonPlace): number {
    if (char !== '{') return this.refuse(at, 'element-no-object', place);
    this.elements.begin(place);
    return this.readWith(this.elements, at, this.endElement);
  }

  // Made once: it is called for every element.
  private readonly endElement = (): void => {
    const { member, index } = this;
    const { value, plain, bytes } = this.elements;
    if (plain === null) this.pieces.push({ kind: 'element', member, index, value, bytes });
    else this.pieces.push({ kind: 'plain', member, value: plain, bytes });
    this.index++;
    this.state = 'afterElement';
  };

  /** What begins is not what was asked for. That is said at its end, for it may be no value at all. */
  private refuse(at: number, problem: JsonProblem, place: JsonPlace): number {
    return this.check(at, problem, place, () => {
      throw new UnusableJson(problem, place);
    });
  }

  private check(at: number, tooDeep: JsonProblem, place: JsonPlace, whenEnded: () => void): number {
    return this.readWith(new JsonValueScanner(CHECKED_DEPTH_MAX, tooDeep, place), at, whenEnded);
  }

  private readWith(reader: Reader, at: number, whenEnded: () => void): number {
    this.reading = { reader, whenEnded };
    return at;
  }
}
