import { ACTION_MIN, CODES, NUMBER_MAY_END, TRANSITIONS } from './json-grammar';
import { JsonSyntaxError } from './json-syntax-error';
import { type JsonPlace, type JsonProblem, UnusableJson } from './unusable-json';

// Read for each byte: as properties of an imported module they would cost more than the rest of the loop.
const transitions = TRANSITIONS;
const actionMin = ACTION_MIN;
const { numberEnd } = CODES;

const ENDED = -1;

/**
 * Reads one JSON value through any number of chunks and checks every byte of it. It keeps nothing but the kinds of
 * the open brackets, in a list instead of on the stack, so that deep nesting does no harm.
 */
export class JsonValueScanner {
  private state = CODES.value;
  private inName = false;
  /** For each open bracket the state behind a value inside of it. */
  private readonly open: number[] = [];

  /** @param tooDeep what is wrong with `place`, if brackets are nested deeper than `depthMax` */
  constructor(
    private readonly depthMax: number,
    private readonly tooDeep: JsonProblem,
    private readonly place: JsonPlace,
  ) {}

  get ended(): boolean {
    return this.state === ENDED;
  }

  /** Whether the value is whole if the file ends here. */
  get mayEnd(): boolean {
    return this.ended || (this.open.length === 0 && NUMBER_MAY_END.includes(this.state));
  }

  /**
   * @param chunkOffset where in the file the chunk begins
   * @returns the index behind the last byte of the value, the chunk's length if it goes on
   * @throws JsonSyntaxError with the first byte that no JSON value has there
   * @throws UnusableJson
   */
  scan(chunk: Buffer, from: number, chunkOffset: number): number {
    let { state } = this;
    let at = from;
    while (at < chunk.length && state !== ENDED) {
      const next = transitions[(state << 8) | (chunk[at] ?? 0)] ?? 0;
      state = next < actionMin ? next : this.act(next, chunkOffset + at);
      // What ends a number is the byte behind it, which still has to be looked at.
      if (next !== numberEnd) at++;
    }
    this.state = state;
    return at;
  }

  /** @returns the state that the action leads to */
  private act(action: number, offset: number): number {
    switch (action) {
      case CODES.openObject:
        return this.enter(CODES.afterMember, CODES.firstName);
      case CODES.openArray:
        return this.enter(CODES.afterElement, CODES.firstElement);
      case CODES.openName:
        this.inName = true;
        return CODES.string;
      case CODES.close:
        this.open.pop();
        return this.afterValue();
      case CODES.stringEnd:
        return this.afterString();
      case CODES.literalEnd:
      case CODES.numberEnd:
        return this.afterValue();
      default:
        throw new JsonSyntaxError(offset);
    }
  }

  private enter(afterEach: number, first: number): number {
    if (this.open.length === this.depthMax) throw new UnusableJson(this.tooDeep, this.place);
    this.open.push(afterEach);
    return first;
  }

  private afterString(): number {
    if (!this.inName) return this.afterValue();
    this.inName = false;
    return CODES.afterName;
  }

  private afterValue(): number {
    return this.open.at(-1) ?? ENDED;
  }
}
