/** The directory of the project, or of a copy that is tried out: the nearest one above with pgloom's package.json. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

export interface PackageFile {
  readonly name: string;
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly files: readonly string[];
}

export function readPackageFile(): PackageFile {
  return JSON.parse(readFileSync(path.join(above('package.json'), 'package.json'), 'utf8')) as PackageFile;
}

/** The nearest directory above this built file that holds the file. */
export function above(file: string): string {
  let directory = import.meta.dirname;
  while (!existsSync(path.join(directory, file))) {
    const parent = path.dirname(directory);
    assert.notEqual(parent, directory, `no ${file} above the tests`);
    directory = parent;
  }
  return directory;
}
