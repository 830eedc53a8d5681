/**
 * The shape of a query string: the same statement with every literal replaced by an empty one of its kind, comments
 * dropped and white space collapsed, IN lists and VALUES rows of constants cut down to the first. Texts of one shape differ in
 * nothing but constants and their number, so one plan fits them all (where constants matter the plan cache does not
 * ask by shape).
 *
 * A shape is itself a statement that lexes like the text did, what was cut apart: '' for 'abc', E'a\n' and $$x$$, b'' for
 * bit strings, n'' for national ones, 0 for integers, 0.0 for other numbers. Whatever is unusual has no shape (null)
 * and is parsed on its own: the rules below are those of PostgreSQL's scan.l, and a doubt is always a null.
 *
 * standard_conforming_strings is taken to be on; a backslash in a plain string gives null, so that the answer is the
 * same with it off.
 */
import { Class, classes, inWord, isDigit, isUsual, isWordCode, isWordOrDollar } from './character-class.js';
import { ConstantLists, type TokenReader } from './constant-lists.js';

/** Texts up to this length are read and their shapes put together in the same place always. */
const commonLength = 32 << 10;
/** Costs next to nothing: of a string that V8 keeps in bytes it does not look at one. */
const notBytes = /[^\0-\xff]/;
/** Zeros behind the text, so that one may look a little ahead. */
const endBytes = 4;
const textScratch = Buffer.allocUnsafeSlow(commonLength + endBytes);
const shapeScratch = Buffer.allocUnsafeSlow(2 * commonLength);

/**
 * @param text a query string, one character a byte
 * @returns its shape, or null when it has none
 */
export function shapeOf(text: string): string | null {
  if (notBytes.test(text)) return null;
  const shaper = new Shaper(text);
  return shaper.run() ? shaper.shape() : null;
}

/** Works on bytes: to look at a character of a string costs several times as much, and a string made of many pieces even more. */
class Shaper implements TokenReader {
  readonly bytes: Buffer;
  private readonly length: number;
  /** At the most '.5' becomes '0.0'. */
  private readonly out: Buffer;
  private outLength = 0;
  /** Where the part of the text begins that is not copied yet. */
  private copied = 0;
  at = 0;
  /** The last token was a string: another one after it would continue it, or be an error. */
  private afterString = false;
  /** The last token was a number, parameter or identifier that ends right here. */
  private wordEnd = -1;
  private readonly lists = new ConstantLists(this);

  constructor(private readonly text: string) {
    this.length = text.length;
    const isCommon = this.length <= commonLength;
    this.bytes = isCommon ? textScratch : Buffer.allocUnsafeSlow(this.length + endBytes);
    this.out = isCommon ? shapeScratch : Buffer.allocUnsafeSlow(2 * this.length);
    this.bytes.latin1Write(text, 0, this.length);
    for (let i = 0; i < endBytes; i++) this.bytes[this.length + i] = 0;
  }

  run(): boolean {
    const { bytes, length } = this;
    while (this.at < length) {
      const code = bytes[this.at] as number;
      // One blank with something usual behind it, which is most of them.
      if (code === 0x20 && this.at > 0 && isUsual(bytes[this.at + 1] as number)) this.at++;
      else if (!this.token(code)) return false;
    }
    this.copyUpTo(length);
    if (this.outLength > 0 && this.out[this.outLength - 1] === 0x20) this.outLength--;
    return true;
  }

  shape(): string {
    return this.out.latin1Slice(0, this.outLength);
  }

  /** Reads the token (or gap) that begins with this character; false when it has no shape. */
  token(code: number): boolean {
    switch (code < 256 ? classes[code] : Class.refused) {
      case Class.space:
        return this.gap();
      case Class.identifier:
        return this.word();
      case Class.digit:
        return this.number();
      case Class.quote:
        return this.plainString(this.at, "''");
      case Class.doubleQuote:
        return this.quotedIdentifier();
      case Class.dollar:
        return this.dollar();
      case Class.dot:
        return this.dot();
      case Class.minus:
        return (this.bytes[this.at + 1] as number) === 0x2d ? this.gap() : this.single();
      case Class.slash:
        return (this.bytes[this.at + 1] as number) === 0x2a ? this.gap() : this.single();
      case Class.other:
        return this.single();
      default:
        return false;
    }
  }

  private copyUpTo(end: number): void {
    const { bytes, out } = this;
    let { outLength } = this;
    for (let i = this.copied; i < end; i++) out[outLength++] = bytes[i] as number;
    this.outLength = outLength;
  }

  /** Puts `literal` in place of the text from `start` up to where the reader stands now. */
  private replace(start: number, literal: string): true {
    this.copyUpTo(start);
    for (let i = 0; i < literal.length; i++) this.out[this.outLength++] = literal.charCodeAt(i);
    this.copied = this.at;
    return true;
  }

  private single(): true {
    this.at++;
    this.afterString = false;
    return true;
  }

  /** White space and comments: one blank in all, none at the start. */
  private gap(): boolean {
    const { bytes } = this;
    const start = this.at;
    let isOneBlank = (bytes[start] as number) === 0x20;
    for (;;) {
      const code = bytes[this.at] as number;
      if (code < 256 && classes[code] === Class.space) this.at++;
      else if (code === 0x2d && (bytes[this.at + 1] as number) === 0x2d) this.lineComment();
      else if (code === 0x2f && (bytes[this.at + 1] as number) === 0x2a) {
        if (!this.blockComment()) return false;
      } else break;
    }
    isOneBlank &&= this.at === start + 1;
    if (isOneBlank && start > 0) return true;
    return this.replace(start, start === 0 ? '' : ' ');
  }

  private lineComment(): void {
    const { bytes, length } = this;
    while (this.at < length) {
      const code = bytes[this.at] as number;
      if (code === 0x0a || code === 0x0d) return;
      this.at++;
    }
  }

  /** Comments nest. */
  private blockComment(): boolean {
    const { bytes, length } = this;
    let depth = 0;
    do {
      const code = bytes[this.at] as number;
      const next = bytes[this.at + 1] as number;
      if (code === 0x2f && next === 0x2a) {
        depth++;
        this.at += 2;
      } else if (code === 0x2a && next === 0x2f) {
        depth--;
        this.at += 2;
      } else this.at++;
      if (this.at > length || (depth > 0 && this.at === length)) return false;
    } while (depth > 0);
    return true;
  }

  /** An identifier or keyword, or the letter before a string: E'' B'' X'' N'' U&''. */
  private word(): boolean {
    const { bytes } = this;
    const start = this.at;
    this.skipWord();
    const length = this.at - start;
    const next = bytes[this.at] as number;
    if (length === 1 && next === 0x27) return this.prefixedString(start, (bytes[start] as number) | 0x20);
    // U&"…" and U&'…': unicode escapes inside, and UESCAPE after.
    if (length === 1 && next === 0x26 && ((bytes[start] as number) | 0x20) === 0x75) return false;
    this.afterString = false;
    this.wordEnd = this.at;
    switch (length) {
      case 2:
        return this.isWord(start, 'in') ? this.lists.afterIn() : true;
      case 4:
        // COPY t TO '' parses to the same tree as COPY t TO STDOUT.
        return !this.isWord(start, 'copy');
      case 6:
        return this.isWord(start, 'values') ? this.lists.afterValues() : true;
      default:
        return true;
    }
  }

  /** Whether the word from `start` to where the reader stands is this one. */
  private isWord(start: number, word: string): boolean {
    for (let i = 0; i < word.length; i++) if (((this.bytes[start + i] as number) | 0x20) !== word.charCodeAt(i)) return false;
    return true;
  }

  /** The length of the shape up to here, to come back to. */
  mark(): number {
    this.copyUpTo(this.at);
    this.copied = this.at;
    return this.outLength;
  }

  /** Forgets what the shape got since then. */
  dropSince(mark: number): void {
    this.outLength = mark;
    this.copied = this.at;
    this.afterString = false;
  }

  private skipWord(): void {
    const { bytes, length } = this;
    let { at } = this;
    while (at < length && inWord[bytes[at] as number] === 1) at++;
    this.at = at;
  }

  private prefixedString(start: number, letter: number): boolean {
    this.at = start + 1;
    switch (letter) {
      case 0x65: // e
        return this.escapeString(start);
      case 0x62: // b
        return this.plainString(start, "b''");
      case 0x78: // x
        return this.plainString(start, "x''");
      case 0x6e: // n
        return this.plainString(start, "n''");
      default:
        // Any other one-letter name followed by a string, as in t'1': the name is copied, the string comes next.
        this.afterString = false;
        return true;
    }
  }

  /** '…' with '' for a quote, the reader standing at the opening quote. */
  private plainString(start: number, literal: string): boolean {
    if (this.afterString) return false;
    const { bytes, length } = this;
    for (let i = this.at + 1; i < length; i++) {
      const code = bytes[i] as number;
      if (code === 0x5c || code === 0) return false;
      if (code !== 0x27) continue;
      if ((bytes[i + 1] as number) !== 0x27) return this.endString(i + 1, start, literal);
      // A bit string knows no doubled quote: what follows would be a string of its own.
      if (literal === "b''" || literal === "x''") return false;
      i++;
    }
    return false;
  }

  /** E'…', where a backslash takes the next character with it. */
  private escapeString(start: number): boolean {
    if (this.afterString) return false;
    const { bytes, length } = this;
    for (let i = this.at + 1; i < length; i++) {
      const code = bytes[i] as number;
      // Beyond ASCII a backslash may be half of a character (SJIS, BIG5, GBK).
      if (code === 0 || code >= 0x80) return false;
      if (code === 0x5c) i++;
      else if (code !== 0x27) continue;
      else if ((bytes[i + 1] as number) === 0x27) i++;
      else return this.endString(i + 1, start, "''");
    }
    return false;
  }

  private endString(end: number, start: number, literal: string): true {
    this.at = end;
    this.afterString = true;
    return this.replace(start, literal);
  }

  private quotedIdentifier(): boolean {
    const { bytes, length } = this;
    for (let i = this.at + 1; i < length; i++) {
      const code = bytes[i] as number;
      if (code === 0) return false;
      if (code !== 0x22) continue;
      if ((bytes[i + 1] as number) === 0x22) i++;
      else {
        this.at = i + 1;
        this.afterString = false;
        this.wordEnd = this.at;
        return true;
      }
    }
    return false;
  }

  /** $1 stays as it is, $tag$…$tag$ is a string. */
  private dollar(): boolean {
    const { bytes } = this;
    const start = this.at;
    let end = start + 1;
    if (isDigit(bytes[end] as number)) {
      while (isDigit(bytes[end] as number)) end++;
      if (isWordOrDollar(bytes[end] as number)) return false;
      this.at = end;
      this.afterString = false;
      this.wordEnd = end;
      return true;
    }
    while (isWordCode(bytes[end] as number)) end++;
    if ((bytes[end] as number) !== 0x24 || this.afterString) return false;
    const { text } = this;
    const tag = text.slice(start, end + 1);
    const close = text.indexOf(tag, end + 1);
    if (close < 0 || text.slice(start, close).includes('\0')) return false;
    return this.endString(close + tag.length, start, "''");
  }

  /** A dot between names, or the beginning of a number like .5 */
  private dot(): boolean {
    const next = (this.bytes[this.at + 1] as number);
    if (next === 0x2e) return false;
    if (!isDigit(next)) return this.single();
    return this.wordEnd === this.at ? false : this.number();
  }

  /** Decimal integers and fractions; 0x1f, 1_000, 1..2, 1.2.3 and digits run into letters have no shape. */
  private number(): boolean {
    const { bytes } = this;
    const start = this.at;
    let end = start;
    while (isDigit(bytes[end] as number)) end++;
    let isInteger = end - start <= 9;
    if ((bytes[end] as number) === 0x2e) {
      isInteger = false;
      end++;
      while (isDigit(bytes[end] as number)) end++;
    }
    if (((bytes[end] as number) | 0x20) === 0x65) {
      isInteger = false;
      end++;
      const sign = bytes[end] as number;
      if (sign === 0x2b || sign === 0x2d) end++;
      if (!isDigit(bytes[end] as number)) return false;
      while (isDigit(bytes[end] as number)) end++;
    }
    const next = bytes[end] as number;
    if (next === 0x2e || isWordOrDollar(next)) return false;
    this.at = end;
    this.afterString = false;
    this.wordEnd = end;
    return this.replace(start, isInteger ? '0' : '0.0');
  }
}
