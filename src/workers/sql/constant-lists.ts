/**
 * IN lists and VALUES rows of constants: in a shape only the first is kept, so that lists of all lengths have one shape
 * and one plan. What is in them matters to no plan that is decided by its shape.
 *
 *   a IN (1, 2, 3)                    → a IN (0)
 *   VALUES (1, 'a'), (2, NULL)        → VALUES (0, '')
 *   VALUES (1), (now()), (3)          → VALUES (0), (now()), (0)
 */
import { Class, classes, isDigit, isWordOrDollar } from './character-class.js';

/** The reader of a text that stands at `at` and puts together its shape. */
export interface TokenReader {
  /** The text, with zeros behind it. */
  readonly bytes: Buffer;
  readonly at: number;
  /** Reads the token (or gap) that begins with this character; false when it has no shape. */
  token(code: number): boolean;
  /** The length of the shape up to here, to come back to. */
  mark(): number;
  /** Forgets what the shape got since then. */
  dropSince(mark: number): void;
}

const comma = 0x2c;
const opening = 0x28;
const closing = 0x29;
const minus = 0x2d;

/** What a row of constants may hold beside literals and parameters. */
const constantWords: ReadonlySet<string> = new Set(['null', 'default', 'true', 'false']);

export class ConstantLists {
  /** Something read here has no shape. */
  private failed = false;

  constructor(private readonly reader: TokenReader) {}

  /** The reader stands behind IN. What follows is read as far as it is a list of constants; false when it has no shape. */
  afterIn(): boolean {
    const { reader } = this;
    if (!this.skip(opening) || !this.item(false)) return !this.failed;
    const kept = reader.mark();
    let items = 1;
    for (; this.skip(comma); items++) if (!this.item(false)) return !this.failed;
    if (items > 1 && this.sees(closing)) reader.dropSince(kept);
    return !this.failed;
  }

  /** The reader stands behind VALUES. What follows is read as far as it is rows of constants; false when it has no shape. */
  afterValues(): boolean {
    const { reader } = this;
    if (!this.row()) return !this.failed;
    const kept = reader.mark();
    while (this.skip(comma) && this.row()) reader.dropSince(kept);
    return !this.failed;
  }

  private row(): boolean {
    if (!this.skip(opening)) return false;
    do if (!this.item(true)) return false; while (this.skip(comma));
    return this.skip(closing);
  }

  /** Reads this character, and white space before it, if it comes next. */
  private skip(code: number): boolean {
    return this.sees(code) && this.reader.token(code);
  }

  private sees(code: number): boolean {
    return this.gap() && (this.reader.bytes[this.reader.at] as number) === code;
  }

  /** Reads white space and comments, if there are any; false when they have no shape. */
  private gap(): boolean {
    const { bytes, at } = this.reader;
    const code = bytes[at] as number;
    const isGap = (code < 256 && classes[code] === Class.space) || ((code === minus || code === 0x2f) && (bytes[at + 1] as number) === (code === minus ? minus : 0x2a));
    return !isGap || this.read(code);
  }

  private read(code: number): boolean {
    if (!this.reader.token(code)) this.failed = true;
    return !this.failed;
  }

  /** Reads one literal or parameter or, if `words`, NULL, DEFAULT, TRUE or FALSE; false when something else comes next. */
  private item(words: boolean): boolean {
    if (!this.gap()) return false;
    const { reader } = this;
    const { bytes } = reader;
    let code = bytes[reader.at] as number;
    if (code === minus) {
      if (!isNumberAt(bytes, reader.at + 1) || !this.read(code)) return false;
      code = bytes[reader.at] as number;
    }
    switch (code < 256 ? classes[code] : Class.refused) {
      case Class.digit:
      case Class.quote:
      case Class.dollar:
        return this.read(code);
      case Class.dot:
        return isNumberAt(bytes, reader.at) && this.read(code);
      case Class.identifier:
        return ((bytes[reader.at + 1] as number) === 0x27 || (words && isConstantWord(bytes, reader.at))) && this.read(code);
      default:
        return false;
    }
  }
}

function isNumberAt(bytes: Buffer, at: number): boolean {
  const code = bytes[at] as number;
  return isDigit(code) || (code === 0x2e && isDigit(bytes[at + 1] as number));
}

function isConstantWord(bytes: Buffer, start: number): boolean {
  let end = start;
  while (end - start < 8 && isWordOrDollar(bytes[end] as number)) end++;
  return constantWords.has(bytes.latin1Slice(start, end).toLowerCase());
}
