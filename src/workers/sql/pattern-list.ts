/**
 * A list of patterns of pgpool.conf, compiled: POSIX extended regular expressions, case-insensitive, matched against
 * the whole text (semantics.md 1.3 row 5 and 1.5).
 */
import { compilePattern } from '../../shared/parameters/posix-regex.js';

export class PatternList {
  private readonly patterns: readonly RegExp[];

  /** @param patterns those of the settings, which have been tried when the file was read */
  constructor(patterns: readonly string[]) {
    this.patterns = patterns.map(compilePattern);
  }

  get isEmpty(): boolean {
    return this.patterns.length === 0;
  }

  matches(text: string): boolean {
    return this.patterns.some((pattern) => pattern.test(text));
  }
}
