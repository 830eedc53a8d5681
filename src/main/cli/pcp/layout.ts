/** How values are printed: in one line, or each with its title. */
import { escapeControls } from '../../../shared/log-prefix.js';

/** A title and a value, in the order in which they are printed. */
export type Cell = readonly [title: string, value: string];

/** The values in one line. Control characters are escaped: a server cannot make two lines of one, nor talk to the terminal. */
export function plainLine(values: readonly string[]): string {
  return `${values.map(escapeControls).join(' ')}\n`;
}

/** A line for each value, the titles as wide as the longest one, and an empty line. */
export function titledLines(cells: readonly Cell[]): string {
  const widthCharacters = Math.max(...cells.map(([title]) => title.length));
  return `${cells.map(([title, value]) => `${title.padEnd(widthCharacters)} : ${escapeControls(value)}\n`).join('')}\n`;
}

/** Records in either form. */
export function records(all: readonly (readonly Cell[])[], verbose: boolean): string {
  return all.map((cells) => (verbose ? titledLines(cells) : plainLine(cells.map(([, value]) => value)))).join('');
}

/** `2026-11-23 02:34:37 (4:59 before process restarting)`: the time and the seconds in the parentheses, null where there are none. */
export function splitTimeNote(text: string): { readonly text: string | null; readonly noteSeconds: number | null } {
  const found = /^(.*?) \((\d+):(\d+) before [^)]*\)$/.exec(text);
  if (found === null) return { text: text === '' ? null : text, noteSeconds: null };
  return { text: found[1] ?? null, noteSeconds: Number(found[2]) * 60 + Number(found[3]) };
}
