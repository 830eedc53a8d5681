import { strict as assert } from 'node:assert';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { parameterMarkdown } from '../../src/main/config/sample.js';

interface PackageFile {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

const root = projectDirectory();
const readme = readFileSync(path.join(root, 'README.md'), 'utf8');

/** The nearest directory above this built file that holds a README.md: the tests may be built into any folder. */
function projectDirectory(): string {
  let directory = import.meta.dirname;
  while (!existsSync(path.join(directory, 'README.md'))) {
    const above = path.dirname(directory);
    assert.notEqual(above, directory, 'no README.md above the tests');
    directory = above;
  }
  return directory;
}

/** What stands between `<!-- name -->` and `<!-- /name -->`. */
function between(name: string): string {
  const found = readme.split(`<!-- ${name} -->`)[1]?.split(`<!-- /${name} -->`)[0];
  assert.ok(found !== undefined, `README.md has no part between <!-- ${name} --> and <!-- /${name} -->`);
  return found.trim();
}

/** The anchor that a Markdown heading gets. */
function anchorOf(heading: string): string {
  return heading.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').trim().replaceAll(' ', '-');
}

describe('README.md', () => {
  it('has the parameter table that the code makes', () => {
    assert.equal(between('parameters'), parameterMarkdown().trim(), 'renew it: node dist/src/main/config/print-sample.js markdown');
  });

  it('links only to files and headings that exist', () => {
    const anchors = new Set([...readme.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchorOf(heading ?? '')));
    const targets = [...readme.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? '').filter((target) => !/^[a-z]+:/.test(target));
    assert.ok(targets.length > 20, 'the links are found');
    const missing = targets.filter((target) => {
      if (target.startsWith('#')) return !anchors.has(target.slice(1));
      return !existsSync(path.join(root, target.split('#')[0] ?? ''));
    });
    assert.deepEqual(missing, []);
  });

  it('says of every dependency what it is for', () => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as PackageFile;
    const wanted = [...Object.keys(dependencies), ...Object.keys(devDependencies)].sort();
    const rows = between('dependencies').split('\n').filter((line) => line.startsWith('| `'));
    assert.deepEqual(rows.map((row) => row.split('`')[1]).sort(), wanted);
    for (const row of rows) assert.ok(row.split('|').slice(2, 4).every((cell) => cell.trim() !== ''), `a cell is empty: ${row}`);
  });
});
