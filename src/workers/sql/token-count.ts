import { Class, classes, isDigit, isWordCode } from './character-class.js';

/**
 * About how many tokens the text has, which is what parsing costs: each is a node of the tree or part of one. Strings are told
 * by their quotes alone, so that comments and E'\'' are counted only roughly.
 *
 * @param most counting stops beyond this
 */
export function roughTokenCount(text: string, most: number): number {
  let count = 0;
  let inWord = false;
  for (let i = 0; i < text.length && count <= most; i++) {
    const code = text.charCodeAt(i);
    switch (code < 256 ? classes[code] : Class.refused) {
      case Class.space:
        inWord = false;
        break;
      case Class.identifier:
      case Class.digit:
        if (!inWord) count++;
        inWord = true;
        break;
      case Class.quote:
        count++;
        inWord = false;
        i = endOf(text, "'", i + 1);
        break;
      case Class.dollar: {
        // $1, or the tag of a string; a dollar within a word belongs to it.
        const tag = inWord ? null : dollarTag(text, i);
        if (tag !== null) i = endOf(text, tag, i + tag.length);
        if (!inWord) count++;
        break;
      }
      default:
        count++;
        inWord = false;
    }
  }
  return count;
}

/** Where the string ends that began before `from`: the last character of its end mark. */
function endOf(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from);
  return at < 0 ? text.length : at + mark.length - 1;
}

function dollarTag(text: string, start: number): string | null {
  let end = start + 1;
  while (isWordCode(text.charCodeAt(end))) end++;
  return text.charCodeAt(end) === 0x24 && !isDigit(text.charCodeAt(start + 1)) ? text.slice(start, end + 1) : null;
}
