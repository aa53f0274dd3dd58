import { AnnotationOutput, CLASS_BYTES } from '../../labeled-images/annotation-output';
import { lengthOf } from '../../labeled-images/byte-span';
import { POLYGON_NUMBERS_MIN } from '../../labeled-images/annotation-rules';
import type { Preparation } from '../../labeled-images/labeled-image.repository';
import type { CocoAnnotation } from './coco-elements';
import type { PlainReader } from '../json/split-options';

/** Longer ones are few, and the output is as large as the longest may need. */
const TEXT_BYTES_MAX = 2 ** 16;
const MEMBERS_MAX = 32;
const NOTHING = Buffer.alloc(0);
/** No double needs more, and all digits are kept: the bound of a document is that of its BSON, which has 8 bytes for them. */
const NUMBER_BYTES_MAX = 24;
/** All are doubles up to 10^22, and no number has more decimals: it is one exact division. */
const POWERS = Array.from({ length: NUMBER_BYTES_MAX - '0.'.length + 1 }, (_, decimals) =>
  Number(`1e${String(decimals)}`),
);

const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const CAPITAL_EXPONENT = 0x45;
const EXPONENT = 0x65;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const CLOSE_OBJECT = 0x7d;

/** What a member is for; of those that go into the document, which lists they may be. */
type Member = 'id' | 'image_id' | 'category_id' | 'refused' | Shape;
type Shape = 'box' | 'polygons' | 'polygon' | 'any' | 'numbers';

const MEMBERS: readonly (readonly [name: Buffer, member: Member])[] = [
  [Buffer.from('id'), 'id'],
  [Buffer.from('image_id'), 'image_id'],
  [Buffer.from('category_id'), 'category_id'],
  [Buffer.from('bbox'), 'box'],
  [Buffer.from('segmentation'), 'polygons'],
  [Buffer.from('lab_class_id'), 'refused'],
];

/** What the lists in a list are; null where there may be none. */
const INNER: Readonly<Record<Shape, Shape | null>> = {
  box: null,
  polygons: 'polygon',
  polygon: null,
  any: 'numbers',
  numbers: null,
};

/**
 * Reads annotations as nearly all are, and refuses the others, for JSON.parse and readAnnotation to say what they are. A plain
 * one has members that are numbers, texts, or lists of numbers and of such lists; no escape and no exponent; ids that are
 * numbers; and nothing that is wrong or worth a warning. (What else is refused, its test lists.) It makes no
 * object of what it reads: that and its garbage were half of an import. Whatever it takes it reads as readAnnotation does,
 * which a test with generated annotations sees to.
 */
export class PlainAnnotationReader implements PlainReader<CocoAnnotation> {
  private readonly output = new AnnotationOutput(TEXT_BYTES_MAX);
  private readonly nameStarts = new Int32Array(MEMBERS_MAX);
  private readonly nameEnds = new Int32Array(MEMBERS_MAX);
  private text: Uint8Array = NOTHING;
  /** The next byte to be read. */
  private at = 0;
  /** The number that was read last. */
  private value = 0;
  private id = 0;
  private imageId = 0;
  private categoryId = 0;
  /** Of the annotation before: mostly it is of the same image. */
  private imageKey = '0';
  private lastImageId = 0;

  constructor(private readonly preparation: Pick<Preparation, 'prepareEncoded'>) {}

  get end(): number {
    return this.at;
  }

  /** `text` is UTF-8, and an object begins at `from`. */
  read(text: Buffer, from: number): CocoAnnotation | null {
    this.text = text.length - from > TEXT_BYTES_MAX ? text.subarray(0, from + TEXT_BYTES_MAX) : text;
    this.at = from + 1;
    const annotation = this.readObject();
    this.text = NOTHING; // it may be one of many megabytes
    return annotation;
  }

  private readObject(): CocoAnnotation | null {
    this.id = this.imageId = this.categoryId = NaN;
    this.output.begin();
    if (!this.readMembers()) return null;
    const { id, imageId, categoryId } = this;
    // An id of 0 is worth a warning, as none is.
    if (!id || Number.isNaN(imageId) || Number.isNaN(categoryId)) return null;
    this.output.end();
    return {
      key: id,
      imageKey: this.keyOf(imageId),
      categoryKey: String(categoryId),
      rest: this.preparation.prepareEncoded(this.output),
      bsonBytes: lengthOf(this.output.bson) - CLASS_BYTES,
    };
  }

  private keyOf(imageId: number): string {
    if (imageId !== this.lastImageId) this.imageKey = String(imageId);
    this.lastImageId = imageId;
    return this.imageKey;
  }

  private readMembers(): boolean {
    let count = 0;
    do {
      if (count === MEMBERS_MAX || !this.readMember(count++)) return false;
    } while (this.skip(COMMA));
    return this.skip(CLOSE_OBJECT);
  }

  private readMember(count: number): boolean {
    if (this.next() !== QUOTE) return false;
    const from = this.at + 1;
    if (!this.skipText()) return false;
    const to = this.at - 1;
    if (!this.isNewName(from, to, count) || !this.skip(COLON)) return false;
    const member = this.memberOf(from, to);
    switch (member) {
      case 'refused':
        return false;
      case 'id':
        this.id = this.readId();
        return !Number.isNaN(this.id);
      case 'image_id':
        this.imageId = this.readId();
        return !Number.isNaN(this.imageId);
      case 'category_id':
        this.categoryId = this.readId();
        return !Number.isNaN(this.categoryId);
      default:
        this.output.name(this.text, from, to);
        return this.readValue(member);
    }
  }

  /** An object puts a name that is an index first, and of two that are the same it has the last one. */
  private isNewName(from: number, to: number, count: number): boolean {
    const { nameStarts, nameEnds } = this;
    if (isDigit(this.text[from] ?? 0)) return false;
    for (let at = 0; at < count; at++) {
      const start = nameStarts[at] ?? 0;
      if ((nameEnds[at] ?? 0) - start === to - from && this.isSame(this.text, start, from, to)) return false;
    }
    nameStarts[count] = from;
    nameEnds[count] = to;
    return true;
  }

  private memberOf(from: number, to: number): Member {
    for (const [name, member] of MEMBERS) {
      if (name.length === to - from && this.isSame(name, 0, from, to)) return member;
    }
    return 'any';
  }

  private isSame(other: Uint8Array, start: number, from: number, to: number): boolean {
    for (let at = from; at < to; at++) if (this.text[at] !== other[start + at - from]) return false;
    return true;
  }

  /** @returns NaN where it is none */
  private readId(): number {
    this.next();
    return this.scanNumber() && Number.isInteger(this.value) ? this.value : NaN;
  }

  private readValue(shape: Shape): boolean {
    const first = this.next();
    if (first === OPEN_LIST) return this.readList(shape);
    return shape === 'any' && (first === QUOTE ? this.readText() : this.readNumber());
  }

  private readText(): boolean {
    const from = this.at + 1;
    if (!this.skipText()) return false;
    this.output.text(this.text, from, this.at - 1);
    return true;
  }

  private readList(shape: Shape): boolean {
    const begun = this.output.beginList();
    let count = 0;
    this.at++;
    if (this.next() !== CLOSE_LIST) {
      do {
        this.output.index(count);
        if (!this.readElement(shape, count++)) return false;
      } while (this.skip(COMMA));
    }
    if (!this.skip(CLOSE_LIST)) return false;
    this.output.endList(begun);
    if (shape === 'box') return count === 4;
    return shape !== 'polygon' || (count >= POLYGON_NUMBERS_MIN && count % 2 === 0);
  }

  private readElement(shape: Shape, index: number): boolean {
    if (this.next() === OPEN_LIST) {
      const inner = INNER[shape];
      return inner !== null && this.readList(inner);
    }
    if (shape === 'polygons' || !this.readNumber()) return false;
    return shape !== 'box' || index < 2 || this.value > 0;
  }

  private readNumber(): boolean {
    const from = this.at;
    if (!this.scanNumber()) return false;
    this.output.number(this.value, this.text, from, this.at);
    return true;
  }

  /** What has more digits than a double holds for certain is left to the parser of the engine. */
  private scanNumber(): boolean {
    const { text } = this;
    const isNegative = text[this.at] === MINUS;
    const from = isNegative ? this.at + 1 : this.at;
    let at = from;
    let digits = 0;
    let byte = text[at] ?? 0;
    for (; isDigit(byte); byte = text[++at] ?? 0) digits = digits * 10 + (byte - ZERO);
    if (at === from || (text[from] === ZERO && at > from + 1)) return false;
    let decimals = 0;
    if (byte === POINT) {
      const point = at;
      byte = text[++at] ?? 0;
      for (; isDigit(byte); byte = text[++at] ?? 0) digits = digits * 10 + (byte - ZERO);
      decimals = at - point - 1;
      if (decimals === 0) return false;
    }
    if (byte === EXPONENT || byte === CAPITAL_EXPONENT || at - this.at > NUMBER_BYTES_MAX) return false;
    const isExact = digits <= Number.MAX_SAFE_INTEGER;
    const value = isExact ? digits / (POWERS[decimals] ?? 1) : Number(latin1(text, from, at));
    // Beyond these an integer loses digits, which is a fault; a zero keeps its sign only as a double.
    if (value > Number.MAX_SAFE_INTEGER || (isNegative && value === 0)) return false;
    this.value = isNegative ? -value : value;
    this.at = at;
    return true;
  }

  /** @returns whether there is one without escapes, which is then behind */
  private skipText(): boolean {
    const { text } = this;
    let at = this.at + 1;
    let byte = text[at] ?? 0;
    while (byte !== QUOTE) {
      if (byte < SPACE || byte === BACKSLASH) return false;
      byte = text[++at] ?? 0;
    }
    this.at = at + 1;
    return true;
  }

  private skip(byte: number): boolean {
    if (this.next() !== byte) return false;
    this.at++;
    return true;
  }

  /** @returns the next byte that is no white space */
  private next(): number {
    const { text } = this;
    let byte = text[this.at] ?? 0;
    while (byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = text[++this.at] ?? 0;
    return byte;
  }
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

function latin1(text: Uint8Array, from: number, to: number): string {
  return Buffer.from(text.buffer, text.byteOffset + from, to - from).toString('latin1');
}
