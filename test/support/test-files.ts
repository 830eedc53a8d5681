import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The `*.test.js` files under `directory`, sorted; with filters only those whose path below it contains one of them.
 */
export function findTestFiles(directory: string, filters: readonly string[]): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.js'))
    .filter((path) => filters.length === 0 || filters.some((filter) => path.includes(filter)))
    .sort()
    .map((path) => join(directory, path));
}
