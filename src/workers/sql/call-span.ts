/** Where a function's call ends in a text: past names, blanks and comments to its parenthesis, and to the one that closes it. */

/** One piece of SQL that is not looked into: a comment, a string, a name in double quotes. (Block comments nest: see below.) */
const opaque = /--[^\n]*|(?<![\w$\u0080-\uffff])[eE]'(?:[^'\\]|\\[^]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|(?<![\w$\u0080-\uffff])\$([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$[^]*?\$\1\$/y;
const mayBeOpaque: ReadonlySet<string> = new Set("'\"-/$eE");
const blanks = /\s+/y;

/** The end of what begins at `at` and is not looked into; `at` itself when nothing of the kind begins there. */
function endOfOpaque(text: string, at: number): number {
  if (text.startsWith('/*', at)) return endOfBlockComment(text, at);
  opaque.lastIndex = at;
  return opaque.test(text) ? opaque.lastIndex : at;
}

function endOfBlockComment(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const pair = text.slice(at, at + 2);
    if (pair === '/*') depth++;
    else if (pair === '*/') depth--;
    else continue;
    at++;
    if (depth === 0) return at + 1;
  }
  return text.length;
}

export interface CallSpan {
  /** Of the opening parenthesis. */
  readonly open: number;
  /** Behind the closing one. */
  readonly end: number;
  /** Where each argument begins; it goes on to the next one's begin (without the comma) or to the parenthesis. */
  readonly arguments: readonly { readonly from: number; readonly to: number }[];
}

/** @param from where the bare function's name ends; null when no whole call is there */
export function callSpan(text: string, from: number): CallSpan | null {
  let at = from;
  for (let before = -1; before !== at;) {
    before = at;
    blanks.lastIndex = at;
    if (blanks.test(text)) at = blanks.lastIndex;
    if (text.startsWith('--', at) || text.startsWith('/*', at)) at = endOfOpaque(text, at);
  }
  return text[at] === '(' ? spanFrom(text, at) : null;
}

function spanFrom(text: string, open: number): CallSpan | null {
  const found: { from: number; to: number }[] = [];
  let depth = 0;
  let from = open + 1;
  for (let at = open; at < text.length; at++) {
    const character = text[at] as string;
    const skipped = mayBeOpaque.has(character) ? endOfOpaque(text, at) : at;
    if (skipped > at) {
      at = skipped - 1;
      continue;
    }
    // A string or a name that does not end.
    if (character === "'" || character === '"') return null;
    if ('([{'.includes(character)) depth++;
    else if (')]}'.includes(character)) depth--;
    if (depth !== 0 && (depth !== 1 || character !== ',')) continue;
    found.push({ from, to: at });
    from = at + 1;
    if (depth === 0) return { open, end: at + 1, arguments: found };
  }
  return null;
}
