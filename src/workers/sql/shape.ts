/**
 * The shape of a query string: the same statement with every literal replaced by an empty one of its kind, comments
 * dropped and white space collapsed. Texts of one shape differ in nothing but constants, so one plan fits them all
 * (where constants matter the plan cache does not ask by shape).
 *
 * A shape is itself a statement that lexes like the text did, token for token: '' for 'abc', E'a\n' and $$x$$, b'' for
 * bit strings, n'' for national ones, 0 for integers, 0.0 for other numbers. Whatever is unusual has no shape (null)
 * and is parsed on its own: the rules below are those of PostgreSQL's scan.l, and a doubt is always a null.
 *
 * standard_conforming_strings is taken to be on; a backslash in a plain string gives null, so that the answer is the
 * same with it off.
 */

/** What a byte can begin. Bytes from 0x80 on belong to identifiers, as in scan.l. */
const enum Class {
  other,
  space,
  identifier,
  digit,
  quote,
  doubleQuote,
  dollar,
  dot,
  minus,
  slash,
  refused,
}

const classes = new Uint8Array(256);
for (let code = 0; code < 256; code++) classes[code] = classOf(code);

function classOf(code: number): Class {
  const char = String.fromCharCode(code);
  if (code >= 0x80 || /[A-Za-z_]/.test(char)) return Class.identifier;
  if (/[0-9]/.test(char)) return Class.digit;
  if (/[ \t\n\r\f]/.test(char)) return Class.space;
  switch (char) {
    case "'":
      return Class.quote;
    case '"':
      return Class.doubleQuote;
    case '$':
      return Class.dollar;
    case '.':
      return Class.dot;
    case '-':
      return Class.minus;
    case '/':
      return Class.slash;
    default:
      // Control characters, the backslash, and bytes that no token begins with.
      return code < 0x20 || code === 0x7f || char === '\\' ? Class.refused : Class.other;
  }
}

/**
 * @param text a query string, one character a byte
 * @returns its shape, or null when it has none
 */
export function shapeOf(text: string): string | null {
  const shaper = new Shaper(text);
  return shaper.run() ? shaper.shape : null;
}

class Shaper {
  shape = '';
  /** Where the part of the text begins that is not copied yet. */
  private copied = 0;
  private at = 0;
  /** The last token was a string: another one after it would continue it, or be an error. */
  private afterString = false;
  /** The last token was a number, parameter or identifier that ends right here. */
  private wordEnd = -1;

  constructor(private readonly text: string) {}

  run(): boolean {
    const { text } = this;
    while (this.at < text.length) {
      if (!this.token(text.charCodeAt(this.at))) return false;
    }
    this.copyUpTo(text.length);
    if (this.shape.endsWith(' ')) this.shape = this.shape.slice(0, -1);
    return true;
  }

  private token(code: number): boolean {
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
        return this.text.charCodeAt(this.at + 1) === 0x2d ? this.gap() : this.single();
      case Class.slash:
        return this.text.charCodeAt(this.at + 1) === 0x2a ? this.gap() : this.single();
      case Class.other:
        return this.single();
      default:
        return false;
    }
  }

  private copyUpTo(end: number): void {
    if (end > this.copied) this.shape += this.text.slice(this.copied, end);
  }

  /** Puts `literal` in place of the text from `start` up to where the reader stands now. */
  private replace(start: number, literal: string): true {
    this.copyUpTo(start);
    this.shape += literal;
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
    const { text } = this;
    const start = this.at;
    let isOneBlank = text.charCodeAt(start) === 0x20;
    for (;;) {
      const code = text.charCodeAt(this.at);
      if (code < 256 && classes[code] === Class.space) this.at++;
      else if (code === 0x2d && text.charCodeAt(this.at + 1) === 0x2d) this.lineComment();
      else if (code === 0x2f && text.charCodeAt(this.at + 1) === 0x2a) {
        if (!this.blockComment()) return false;
      } else break;
    }
    isOneBlank &&= this.at === start + 1;
    if (isOneBlank && start > 0) return true;
    return this.replace(start, start === 0 ? '' : ' ');
  }

  private lineComment(): void {
    const { text } = this;
    while (this.at < text.length) {
      const code = text.charCodeAt(this.at);
      if (code === 0x0a || code === 0x0d) return;
      this.at++;
    }
  }

  /** Comments nest. */
  private blockComment(): boolean {
    const { text } = this;
    let depth = 0;
    do {
      const code = text.charCodeAt(this.at);
      const next = text.charCodeAt(this.at + 1);
      if (code === 0x2f && next === 0x2a) {
        depth++;
        this.at += 2;
      } else if (code === 0x2a && next === 0x2f) {
        depth--;
        this.at += 2;
      } else this.at++;
      if (this.at > text.length || (depth > 0 && this.at === text.length)) return false;
    } while (depth > 0);
    return true;
  }

  /** An identifier or keyword, or the letter before a string: E'' B'' X'' N'' U&''. */
  private word(): boolean {
    const { text } = this;
    const start = this.at;
    this.skipWord();
    const length = this.at - start;
    const next = text.charCodeAt(this.at);
    if (length === 1 && next === 0x27) return this.prefixedString(start, text.charCodeAt(start) | 0x20);
    // U&"…" and U&'…': unicode escapes inside, and UESCAPE after.
    if (length === 1 && next === 0x26 && (text.charCodeAt(start) | 0x20) === 0x75) return false;
    // COPY t TO '' parses to the same tree as COPY t TO STDOUT.
    if (length === 4 && text.slice(start, this.at).toLowerCase() === 'copy') return false;
    this.afterString = false;
    this.wordEnd = this.at;
    return true;
  }

  private skipWord(): void {
    const { text } = this;
    for (;;) {
      const code = text.charCodeAt(this.at);
      if (code !== 0x24 && !isWordCode(code)) return;
      this.at++;
    }
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
    const { text } = this;
    for (let i = this.at + 1; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code === 0x5c || code === 0) return false;
      if (code !== 0x27) continue;
      if (text.charCodeAt(i + 1) !== 0x27) return this.endString(i + 1, start, literal);
      // A bit string knows no doubled quote: what follows would be a string of its own.
      if (literal === "b''" || literal === "x''") return false;
      i++;
    }
    return false;
  }

  /** E'…', where a backslash takes the next character with it. */
  private escapeString(start: number): boolean {
    if (this.afterString) return false;
    const { text } = this;
    for (let i = this.at + 1; i < text.length; i++) {
      const code = text.charCodeAt(i);
      // Beyond ASCII a backslash may be half of a character (SJIS, BIG5, GBK).
      if (code === 0 || code >= 0x80) return false;
      if (code === 0x5c) i++;
      else if (code !== 0x27) continue;
      else if (text.charCodeAt(i + 1) === 0x27) i++;
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
    const { text } = this;
    for (let i = this.at + 1; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code === 0) return false;
      if (code !== 0x22) continue;
      if (text.charCodeAt(i + 1) === 0x22) i++;
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
    const { text } = this;
    const start = this.at;
    let end = start + 1;
    if (isDigit(text.charCodeAt(end))) {
      while (isDigit(text.charCodeAt(end))) end++;
      if (isWordOrDollar(text.charCodeAt(end))) return false;
      this.at = end;
      this.afterString = false;
      this.wordEnd = end;
      return true;
    }
    while (isWordCode(text.charCodeAt(end))) end++;
    if (text.charCodeAt(end) !== 0x24 || this.afterString) return false;
    const tag = text.slice(start, end + 1);
    const close = text.indexOf(tag, end + 1);
    if (close < 0 || text.slice(start, close).includes('\0')) return false;
    return this.endString(close + tag.length, start, "''");
  }

  /** A dot between names, or the beginning of a number like .5 */
  private dot(): boolean {
    const next = this.text.charCodeAt(this.at + 1);
    if (next === 0x2e) return false;
    if (!isDigit(next)) return this.single();
    return this.wordEnd === this.at ? false : this.number();
  }

  /** Decimal integers and fractions; 0x1f, 1_000, 1..2, 1.2.3 and digits run into letters have no shape. */
  private number(): boolean {
    const { text } = this;
    const start = this.at;
    let end = start;
    while (isDigit(text.charCodeAt(end))) end++;
    let isInteger = end - start <= 9;
    if (text.charCodeAt(end) === 0x2e) {
      isInteger = false;
      end++;
      while (isDigit(text.charCodeAt(end))) end++;
    }
    if ((text.charCodeAt(end) | 0x20) === 0x65) {
      isInteger = false;
      end++;
      const sign = text.charCodeAt(end);
      if (sign === 0x2b || sign === 0x2d) end++;
      if (!isDigit(text.charCodeAt(end))) return false;
      while (isDigit(text.charCodeAt(end))) end++;
    }
    const next = text.charCodeAt(end);
    if (next === 0x2e || isWordOrDollar(next)) return false;
    this.at = end;
    this.afterString = false;
    this.wordEnd = end;
    return this.replace(start, isInteger ? '0' : '0.0');
  }
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** A letter, digit, underscore or byte beyond ASCII. */
function isWordCode(code: number): boolean {
  if (!(code < 256)) return false;
  const of = classes[code];
  return of === Class.identifier || of === Class.digit;
}

function isWordOrDollar(code: number): boolean {
  return code === 0x24 || isWordCode(code);
}
