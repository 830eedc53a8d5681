/**
 * The patterns of pgpool.conf are POSIX extended regular expressions (regcomp with REG_EXTENDED | REG_ICASE).
 * JavaScript's language is close but not the same; this writes one in terms of the other.
 */

const classes: Readonly<Record<string, string>> = {
  alpha: 'a-zA-Z',
  digit: '0-9',
  alnum: 'a-zA-Z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  space: '\\s',
  blank: ' \\t',
  punct: '!-\\/:-@\\[-`{-~',
  print: ' -~',
  graph: '!-~',
  cntrl: '\\x00-\\x1f\\x7f',
  xdigit: '0-9A-Fa-f',
};

/** A bracket expression from its '[' on; in POSIX a backslash is an ordinary character there. */
function bracket(pattern: string, from: number): { text: string; next: number } {
  let at = from + 1;
  let text = '[';
  if (pattern[at] === '^') {
    text += '^';
    at++;
  }
  // A ']' in the first place is a member, not the end.
  for (let first = true; first || pattern[at] !== ']'; first = false) {
    const character = pattern[at];
    if (character === undefined) throw new SyntaxError('brackets ([ ]) not balanced');
    const named = /^\[:([a-z]+):\]/.exec(pattern.slice(at));
    if (named !== null) {
      const members = classes[named[1] ?? ''];
      if (members === undefined) throw new SyntaxError(`unknown character class ${named[0]}`);
      text += members;
      at += named[0].length;
    } else {
      text += /[\\[\]^]/.test(character) ? `\\${character}` : character;
      at++;
    }
  }
  return { text: `${text}]`, next: at + 1 };
}

/** Escapes that GNU's regcomp gives a meaning; any other escaped character stands for itself. */
const escapes: Readonly<Record<string, string>> = { w: '\\w', W: '\\W', s: '\\s', S: '\\S', b: '\\b', B: '\\B', '<': '\\b(?=\\w)', '>': '\\b(?<=\\w)', '`': '^', "'": '$' };

function escaped(character: string | undefined): string {
  if (character === undefined) throw new SyntaxError('trailing backslash');
  const known = escapes[character];
  if (known !== undefined) return known;
  return /[a-zA-Z]/.test(character) ? character : `\\${character}`;
}

/**
 * Compiles one pattern of a regex list as Pgpool-II does: '^' put before and '$' behind unless they are there,
 * upper and lower case the same. (So `a|b` is `^a|b$`, as there.) Throws SyntaxError when it is not a pattern.
 */
export function compilePattern(pattern: string): RegExp {
  const anchored = `${pattern.startsWith('^') ? '' : '^'}${pattern}${pattern.endsWith('$') ? '' : '$'}`;
  let source = '';
  for (let at = 0; at < anchored.length; ) {
    const character = anchored[at] ?? '';
    if (character === '[') {
      const { text, next } = bracket(anchored, at);
      source += text;
      at = next;
    } else if (character === '\\') {
      source += escaped(anchored[at + 1]);
      at += 2;
    } else if (character === '(' && anchored[at + 1] === '?') {
      throw new SyntaxError('nothing to repeat after "("');
    } else if (character === '{' && !/^\{\d+(,\d*)?\}/.test(anchored.slice(at))) {
      source += '\\{';
      at++;
    } else {
      source += character;
      at++;
    }
  }
  return new RegExp(source, 'is');
}
