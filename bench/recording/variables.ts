/** A piece of text that may differ from one duplication to the next: a UUID, or a number of any length. */
const TOKEN = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+/g;

export interface Text {
  /** What lies between the tokens: one more than there are tokens. */
  readonly between: readonly string[];
  readonly tokens: readonly string[];
}

export function tokenized(text: string): Text {
  return { between: text.split(TOKEN), tokens: text.match(TOKEN) ?? [] };
}

/** Where a value comes from: the target's id, or something that PostgreSQL has answered before. */
export type Origin = 'target' | Cell;

export interface Cell {
  readonly step: number;
  readonly row: number;
  readonly column: number;
  /** Which of the tokens in it. */
  readonly token: number;
}

/** In both of two recordings the same distance from where it comes from. */
export interface Variable {
  readonly origin: Origin;
  /** undefined: it is no number but the same text. */
  readonly distance: bigint | undefined;
  /** A number that is written with leading zeros keeps them. */
  readonly width: number;
}

export function valueOf({ distance, width }: Variable, origin: string): string {
  return distance === undefined ? origin : String(BigInt(origin) + distance).padStart(width, '0');
}

interface Known {
  readonly origin: Origin;
  readonly values: readonly [string, string];
}

/** What has been seen to differ between two recordings so far. */
export class Origins {
  private readonly known: Known[] = [];

  add(origin: Origin, values: readonly [string, string]): void {
    if (values[0] !== values[1]) this.known.push({ origin, values });
  }

  /** The nearest, and of these the latest. @throws where a value comes from nowhere: it could not be made up again */
  find(first: string, second: string): Variable {
    let found: Variable | undefined;
    for (const { origin, values } of this.known) {
      const variable = relate(origin, values, [first, second]);
      if (variable && (found === undefined || size(variable) <= size(found))) found = variable;
    }
    if (!found) throw new Error(`nothing that was answered before leads to ${first} and ${second}`);
    return found;
  }
}

function relate(
  origin: Origin,
  [firstOrigin, secondOrigin]: readonly [string, string],
  [first, second]: readonly [string, string],
): Variable | undefined {
  if (firstOrigin === first && secondOrigin === second) return { origin, distance: undefined, width: 0 };
  if (![firstOrigin, secondOrigin, first, second].every(isNumber)) return undefined;
  const distance = BigInt(first) - BigInt(firstOrigin);
  if (distance !== BigInt(second) - BigInt(secondOrigin)) return undefined;
  return { origin, distance, width: first.startsWith('0') ? first.length : 0 };
}

function isNumber(token: string): boolean {
  return /^\d+$/.test(token);
}

function size({ distance = 0n }: Variable): bigint {
  return distance < 0n ? -distance : distance;
}
