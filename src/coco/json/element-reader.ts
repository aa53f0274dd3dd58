import { ElementScanner } from './element-scanner';
import { HeldBytes } from './held-bytes';
import type { JsonObject } from './json-piece';
import { JsonValueScanner } from './json-value-scanner';
import type { PlainReader, SplitBounds } from './split-options';
import { type JsonPlace, type JsonProblem, UnusableJson } from './unusable-json';

/**
 * Reads one object after the other: of what no PlainReader takes, it finds the end quickly and leaves the rest to
 * JSON.parse. (To give it a run of elements at once, as an array, was not faster with runs up to 64 KB, and slower with
 * longer ones.)
 */
export class ElementReader<Plain> {
  private readonly scanner: ElementScanner;
  private readonly held = new HeldBytes();
  private place: JsonPlace = { offset: 0 };
  private plainReader: PlainReader<Plain> | null = null;
  /** The last element that was read, where it is plain. */
  plain: Plain | null = null;
  /** And where it is not. */
  value: JsonObject = {};
  /** The length of its text. */
  bytes = 0;

  constructor(
    private readonly bounds: SplitBounds,
    private readonly readerOf: (member: string) => PlainReader<Plain> | null,
  ) {
    this.scanner = new ElementScanner(bounds.depthMax);
  }

  get ended(): boolean {
    return this.scanner.ended;
  }

  begin(place: JsonPlace): void {
    this.place = place;
    this.plainReader = this.readerOf(place.member ?? '');
  }

  /** As JsonValueScanner.scan, but what is wrong is noticed at the end of the element. */
  scan(chunk: Buffer, from: number): number {
    const begins = this.scanner.ended;
    if (begins && this.readPlain(chunk, from)) return from + this.bytes;
    const end = this.scanner.scan(chunk, from);
    const part = chunk.subarray(from, end);
    if (this.held.size + part.length > this.bounds.elementBytesMax) this.refuse('element-too-large', part);
    if (this.scanner.tooDeep) this.refuse('element-too-deep', part);
    if (!this.scanner.ended) this.held.append(part);
    else if (begins) this.parse(part);
    else this.readHeld(this.held.joinedWith(part));
    return end;
  }

  /** @throws JsonSyntaxError if there is a wrong byte in what was read of an element that has not ended */
  checkHeld(): void {
    this.locateFault(this.held.bytes);
  }

  /** What is longer than allowed is refused, whoever could read it. */
  private readPlain(text: Buffer, from: number): boolean {
    const { plainReader, bounds } = this;
    this.plain = plainReader?.read(text, from) ?? null;
    this.bytes = (plainReader?.end ?? 0) - from;
    if (this.bytes > bounds.elementBytesMax) this.plain = null;
    return this.plain !== null;
  }

  /** Of an element that began in another chunk. */
  private readHeld(text: Buffer): void {
    if (!this.readPlain(text, 0)) this.parse(text);
    this.held.clear();
  }

  private parse(text: Buffer): void {
    this.value = this.parseAny(text);
    this.bytes = text.length;
  }

  private parseAny(text: Buffer): JsonObject {
    try {
      return JSON.parse(text.toString()) as JsonObject;
    } catch (cause) {
      this.locateFault(text);
      throw cause;
    }
  }

  /** The end of what is not closed as it was opened is looked for beyond every bound: then that is the fault. */
  private refuse(problem: JsonProblem, part: Buffer): never {
    this.locateFault(this.held.joinedWith(part));
    throw new UnusableJson(problem, this.place);
  }

  /** JSON.parse doesn't say at which byte it stopped. */
  private locateFault(text: Buffer): void {
    const scanner = new JsonValueScanner(this.bounds.depthMax, 'element-too-deep', this.place);
    scanner.scan(text, 0, this.place.offset);
  }
}
