/**
 * The files that Pgpool-II installs in its etc directory. Those of pgpool.conf are made from the parameter table, the
 * others are kept in src/main/config/samples; the build puts all of them into dist/etc.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { sampleKinds } from './sample-kinds.js';
import { sampleConfig } from './sample.js';

export interface SampleFile {
  readonly name: string;
  readonly text: string;
  /** Permission bits: scripts can be executed. */
  readonly mode: number;
}

/** Where the hand-written files may lie, seen from a directory above this program; the first found is taken. */
const places = ['etc', 'src/main/config/samples'];
const witness = 'failover.sh.sample';

function handWrittenDirectory(): string {
  for (let above = import.meta.dirname; ; above = path.dirname(above)) {
    const found = places.map((place) => path.join(above, place)).find((directory) => existsSync(path.join(directory, witness)));
    if (found !== undefined) return found;
    if (path.dirname(above) === above) throw new Error('the sample files are not part of this installation');
  }
}

function isGenerated(name: string): boolean {
  return name.startsWith('pgpool.conf.sample');
}

/**
 * All sample files, by name.
 * @throws Error when the hand-written ones cannot be found or read
 */
export function sampleFiles(): readonly SampleFile[] {
  const directory = handWrittenDirectory();
  const names = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isFile()).map(({ name }) => name);
  const handWritten = names.filter((name) => !isGenerated(name)).map((name) => {
    const text = readFileSync(path.join(directory, name), 'utf8');
    // Not the file's own bits: a package manager or an archive may have changed them.
    return { name, text, mode: text.startsWith('#!') ? 0o755 : 0o644 };
  });
  const generated = sampleKinds.map((kind) => ({ name: `pgpool.conf.sample${kind.ending}`, text: sampleConfig(kind), mode: 0o644 }));
  return [...handWritten, ...generated].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** The text of one sample file. @throws Error when there is none of that name */
export function sampleText(name: string): string {
  const found = sampleFiles().find((file) => file.name === name);
  if (found === undefined) throw new Error(`there is no sample file ${name}`);
  return found.text;
}
