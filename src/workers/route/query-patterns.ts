/** primary_routing_query_pattern_list: whole query texts that stay on the primary. */
import { compilePattern } from '../../shared/parameters/posix-regex.js';

export class QueryPatterns {
  private constructor(private readonly patterns: readonly RegExp[]) {}

  /** @returns null when the list is empty, so that the usual case costs one test */
  static from(list: readonly string[]): QueryPatterns | null {
    return list.length === 0 ? null : new QueryPatterns(list.map(compilePattern));
  }

  matches(text: string): boolean {
    return this.patterns.some((pattern) => pattern.test(text));
  }
}
