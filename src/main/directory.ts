/** Makes directories. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';

/**
 * Makes the directory and those above it, unless they are there. Not `recursive` of Node: below /proc, where mkdir says
 * ENOENT though the parent is there, that tries for ever.
 * @throws errors of the system
 */
export function makeDirectory(directory: string, mode = 0o777): void {
  try {
    makeOne(directory, mode);
  } catch (error) {
    const parent = path.dirname(directory);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === directory) throw error;
    makeDirectory(parent, mode);
    makeOne(directory, mode);
  }
}

/** What is there already may be no directory: whoever uses it finds out. */
function makeOne(directory: string, mode: number): void {
  try {
    mkdirSync(directory, { mode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
