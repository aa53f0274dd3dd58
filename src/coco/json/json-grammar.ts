const WHITESPACE = ' \t\n\r';
const DIGITS = '0123456789';
const HEX_DIGITS = '0123456789abcdefABCDEF';
// The bytes of longer characters are among them: that a file is UTF-8 is checked on its own.
const PLAIN = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte))
  .filter((byte) => byte >= ' ' && byte !== '"' && byte !== '\\')
  .join('');

const FIRST_DIGIT = { '0': 'zero', '123456789': 'integer' } as const;
const LITERAL = { t: 'rue', f: 'alse', n: 'ull' } as const;
const VALUE = {
  '{': 'openObject',
  '[': 'openArray',
  '"': 'string',
  '-': 'minus',
  ...FIRST_DIGIT,
  ...LITERAL,
} as const;

/**
 * RFC 8259: for each state the bytes that may come, and the state or the action that each of them leads to. Inside a
 * literal the state is called by what is still to come.
 */
const GRAMMAR = {
  value: { [WHITESPACE]: 'value', ...VALUE },
  firstElement: { [WHITESPACE]: 'firstElement', ']': 'close', ...VALUE },
  afterElement: { [WHITESPACE]: 'afterElement', ',': 'value', ']': 'close' },
  firstName: { [WHITESPACE]: 'firstName', '"': 'openName', '}': 'close' },
  name: { [WHITESPACE]: 'name', '"': 'openName' },
  afterName: { [WHITESPACE]: 'afterName', ':': 'value' },
  afterMember: { [WHITESPACE]: 'afterMember', ',': 'name', '}': 'close' },
  string: { [PLAIN]: 'string', '"': 'stringEnd', '\\': 'escape' },
  escape: { '"\\/bfnrt': 'string', u: 'fourHex' },
  fourHex: { [HEX_DIGITS]: 'threeHex' },
  threeHex: { [HEX_DIGITS]: 'twoHex' },
  twoHex: { [HEX_DIGITS]: 'oneHex' },
  oneHex: { [HEX_DIGITS]: 'string' },
  minus: FIRST_DIGIT,
  zero: { '.': 'point', eE: 'exponentStart' },
  integer: { [DIGITS]: 'integer', '.': 'point', eE: 'exponentStart' },
  point: { [DIGITS]: 'fraction' },
  fraction: { [DIGITS]: 'fraction', eE: 'exponentStart' },
  exponentStart: { '+-': 'exponentSign', [DIGITS]: 'exponent' },
  exponentSign: { [DIGITS]: 'exponent' },
  exponent: { [DIGITS]: 'exponent' },
  rue: { r: 'ue' },
  ue: { u: 'e' },
  e: { e: 'literalEnd' },
  alse: { a: 'lse' },
  lse: { l: 'se' },
  se: { s: 'e' },
  ull: { u: 'll' },
  ll: { l: 'l' },
  l: { l: 'literalEnd' },
} as const;

/** What a byte may do beside changing the state. */
const ACTIONS = [
  'openObject',
  'openArray',
  'openName',
  'close',
  'stringEnd',
  'literalEnd',
  'numberEnd',
  'refuse',
] as const;

type State = keyof typeof GRAMMAR;
type Action = (typeof ACTIONS)[number];

const STATES = Object.keys(GRAMMAR) as State[];

/** The states and actions as the numbers that `TRANSITIONS` holds; those of actions are `ACTION_MIN` and above. */
export const CODES = numbered<State | Action>([...STATES, ...ACTIONS]);
export const ACTION_MIN = STATES.length;

/** A number has no last byte of its own: in these states every byte that doesn't continue it ends it. */
export const NUMBER_MAY_END = [CODES.zero, CODES.integer, CODES.fraction, CODES.exponent];

/** The grammar as a table: `TRANSITIONS[(state << 8) | byte]` is the next state or an action. */
export const TRANSITIONS = new Uint8Array(STATES.length << 8).fill(CODES.refuse);
for (const state of NUMBER_MAY_END) TRANSITIONS.fill(CODES.numberEnd, state << 8, (state + 1) << 8);
for (const state of STATES) {
  const rules: Readonly<Record<string, State | Action>> = GRAMMAR[state];
  for (const [bytes, next] of Object.entries(rules)) {
    for (const byte of Buffer.from(bytes, 'latin1')) TRANSITIONS[(CODES[state] << 8) | byte] = CODES[next];
  }
}

function numbered<Name extends string>(names: readonly Name[]): Readonly<Record<Name, number>> {
  return Object.fromEntries(names.map((name, code) => [name, code])) as Record<Name, number>;
}
