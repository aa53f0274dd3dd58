import { HeldBytes } from './held-bytes';
import { JsonValueScanner } from './json-value-scanner';
import type { SplitBounds } from './split-options';
import { type JsonPlace, type JsonProblem, UnusableJson } from './unusable-json';

/** Reads a value of any kind, checks it byte by byte, and holds its text until its end. */
export class WholeReader {
  private readonly scanner: JsonValueScanner;
  private readonly held = new HeldBytes();

  constructor(
    private readonly bounds: SplitBounds,
    private readonly tooLarge: JsonProblem,
    private readonly place: JsonPlace,
  ) {
    this.scanner = new JsonValueScanner(bounds.depthMax, 'member-too-deep', place);
  }

  get ended(): boolean {
    return this.scanner.ended;
  }

  /** To be read once the value has ended. */
  get value(): unknown {
    return JSON.parse(this.held.bytes.toString()) as unknown;
  }

  scan(chunk: Buffer, from: number, chunkOffset: number): number {
    const end = this.scanner.scan(chunk, from, chunkOffset);
    this.held.append(chunk.subarray(from, end));
    if (this.held.size > this.bounds.keptBytesMax) throw new UnusableJson(this.tooLarge, this.place);
    return end;
  }
}
