/** Lines of pool_hba.conf and of the files that it includes, with those joined that a backslash splits. */
import { accessLines, type AccessLine } from './access-file.js';

/** Where the comment of a line begins: the first `#` outside double quotes, or the end of the line. */
export function commentStart(line: string): number {
  let inQuotes = false;
  for (let at = 0; at < line.length; at++) {
    if (line[at] === '"') inQuotes = !inQuotes;
    else if (line[at] === '#' && !inQuotes) return at;
  }
  return line.length;
}

export interface HbaLine extends AccessLine {
  /** What makes it impossible to say what the line means. */
  readonly problem: string | null;
}

/**
 * A line that ends with a backslash goes on in the next one, as in PostgreSQL 14 and newer; Pgpool-II knows no such
 * thing. A joined line has the number of its first part.
 */
export function hbaLines(text: string): HbaLine[] {
  const found: HbaLine[] = [];
  let parts: AccessLine[] = [];
  for (const line of accessLines(text)) {
    const goesOn = line.text.endsWith('\\');
    parts.push(goesOn ? { ...line, text: line.text.slice(0, -1) } : line);
    if (goesOn) continue;
    found.push(joined(parts));
    parts = [];
  }
  return parts.length > 0 ? [...found, joined(parts)] : found;
}

function joined(parts: readonly AccessLine[]): HbaLine {
  const text = parts.map(part => part.text).join('');
  return { number: parts[0]?.number ?? 0, text, problem: text.includes('\0') ? 'the line holds a NUL' : swallowed(parts, commentStart(text)) };
}

/**
 * A rule behind a comment that ends with a backslash is a comment for PostgreSQL and a rule for Pgpool-II. If it were
 * a reject line that one of them does not see, it would let in whom it was to keep out.
 */
function swallowed(parts: readonly AccessLine[], comment: number): string | null {
  let start = 0;
  for (const [i, part] of parts.entries()) {
    const isText = part.text.trim() !== '' && !part.text.trimStart().startsWith('#');
    if (i > 0 && start > comment && isText) {
      return `the comment above line ${part.number} ends with a backslash, which makes a comment of that line, too: take the backslash away`;
    }
    start += part.text.length;
  }
  return null;
}
