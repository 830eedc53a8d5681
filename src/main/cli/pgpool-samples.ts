#!/usr/bin/env node
/**
 * The `pgpool_samples` command: writes the sample files where they are wanted. Pgpool-II's `make install` puts them into
 * `<prefix>/etc`; npm can run nothing at the end of an installation, so this command does it.
 */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type SampleFile, sampleFiles } from '../config/sample-files.js';
import { makeDirectory } from '../directory.js';

const usage = `Usage:
  pgpool_samples [-f] DIRECTORY   write the sample files into a directory, which is made if need be
  pgpool_samples [-f] --etc       the same with the directory etc of the prefix that this pgpool is installed in
  pgpool_samples -p NAME          print one
  pgpool_samples                  list their names

Options:
  -f, --force    overwrite files that differ
  -h, --help     print this and exit
`;

function fail(text: string): never {
  process.stderr.write(`pgpool_samples: ${text.trimEnd()}\n`);
  process.exit(1);
}

/** `npm install -g --prefix P` installs into P/lib/node_modules/pgloom. */
function etcOfPrefix(): string {
  const [prefix, inside] = import.meta.dirname.split(`${path.sep}lib${path.sep}node_modules${path.sep}`);
  if (prefix === undefined || inside === undefined) return fail('this pgpool is not installed in a prefix; name the directory');
  return path.join(prefix, 'etc');
}

/** Files that are there and differ stay, unless `force` says otherwise. Returns the exit status. */
function writeAll(files: readonly SampleFile[], directory: string, force: boolean): number {
  makeDirectory(directory);
  let kept = 0;
  for (const { name, text, mode } of files) {
    const file = path.join(directory, name);
    const differs = existsSync(file) && readFileSync(file, 'utf8') !== text;
    if (differs && !force) {
      kept++;
      process.stderr.write(`pgpool_samples: ${file} is there and differs: left as it is (-f overwrites)\n`);
    } else {
      writeFileSync(file, text);
      chmodSync(file, mode);
    }
  }
  process.stdout.write(`${files.length - kept} sample files in ${directory}\n`);
  return kept === 0 ? 0 : 1;
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        etc: { type: 'boolean' },
        force: { type: 'boolean', short: 'f' },
        print: { type: 'string', short: 'p' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    return fail(`${(error as Error).message}\n${usage}`);
  }
}

function main(): number {
  const { values, positionals } = readArguments();
  if (values.help === true) {
    process.stdout.write(usage);
    return 0;
  }
  const files = sampleFiles();
  if (values.print !== undefined) {
    const found = files.find(({ name }) => name === values.print) ?? fail(`there is no sample file ${values.print}`);
    process.stdout.write(found.text);
    return 0;
  }
  if (positionals.length > (values.etc === true ? 0 : 1)) return fail(`too many arguments\n${usage}`);
  const directory = values.etc === true ? etcOfPrefix() : positionals[0];
  if (directory !== undefined) return writeAll(files, path.resolve(directory), values.force === true);
  process.stdout.write(files.map(({ name }) => `${name}\n`).join(''));
  return 0;
}

try {
  process.exitCode = main();
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}
