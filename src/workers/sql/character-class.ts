/** What PostgreSQL's lexer (scan.l) takes a byte for. */

/** What a byte can begin. Bytes from 0x80 on belong to identifiers, as in scan.l. */
export const enum Class {
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

export const classes = new Uint8Array(256);
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

/** 1 for what an identifier consists of: letters, digits, '_', '$' and bytes beyond ASCII. */
export const inWord = Uint8Array.from(classes, (of) => (of === Class.identifier || of === Class.digit || of === Class.dollar ? 1 : 0));

/** A character that begins a token, and not, perhaps, a comment; false for NaN. */
export function isUsual(code: number): boolean {
  const of = code < 256 ? classes[code] : Class.refused;
  return of !== Class.space && of !== Class.minus && of !== Class.slash && of !== Class.refused;
}

export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** A letter, digit, underscore or byte beyond ASCII. */
export function isWordCode(code: number): boolean {
  if (!(code < 256)) return false;
  const of = classes[code];
  return of === Class.identifier || of === Class.digit;
}

export function isWordOrDollar(code: number): boolean {
  return code === 0x24 || isWordCode(code);
}
