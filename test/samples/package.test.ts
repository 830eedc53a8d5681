/** The npm package: packed, installed into a prefix of its own, and used from there. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { accessSync, chmodSync, constants, copyFileSync, cpSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sampleFiles } from '../../src/main/config/sample-files.js';
import { versionText } from '../../src/shared/version.js';
import { scratchDirectory } from '../config/scratch.js';
import { above, readPackageFile } from './project.js';

interface Run {
  readonly status: number | null;
  readonly output: string;
}

/** What npm says when it cannot fetch a package: then there is nothing to test. */
const unreachable = /ENOTCACHED|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH/;
const npmLimitMs = 180_000;

/** Without npm's own variables: those of the `npm test` above us would have a say. */
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.toLowerCase().startsWith('npm_')));

function run(program: string, args: readonly string[], cwd: string): Run {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, encoding: 'utf8', env: environment, timeout: npmLimitMs });
  return { status, output: `${stdout}${stderr}${error?.message ?? ''}` };
}

/** The package's directory as `npm run build` leaves it, from the programs that are being tested. */
function buildCopy(directory: string): void {
  const built = fileURLToPath(new URL('../../src', import.meta.url));
  mkdirSync(directory);
  cpSync(built, path.join(directory, 'dist/src'), { recursive: true });
  copyFileSync(path.join(above('package.json'), 'package.json'), path.join(directory, 'package.json'));
  for (const file of ['README.md', 'LICENSE']) copyFileSync(path.join(above(file), file), path.join(directory, file));
  const samples = run(process.execPath, [fileURLToPath(new URL('../../src/main/cli/pgpool-samples.js', import.meta.url)), path.join(directory, 'dist/etc')], '/');
  assert.equal(samples.status, 0, samples.output);
}

test('npm pack and a global install give a prefix whose commands run, with the samples in it', { skip: run('npm', ['--version'], '/').status === 0 ? false : 'npm is not installed' }, (t) => {
  const scratch = scratchDirectory(t);
  chmodSync(scratch, 0o755);
  const project = path.join(scratch, 'project');
  const prefix = path.join(scratch, 'prefix');
  buildCopy(project);
  mkdirSync(prefix);
  const { name, version, bin } = readPackageFile();
  const packed = run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', scratch], project);
  assert.equal(packed.status, 0, packed.output);
  const archive = path.join(scratch, `${name}-${version}.tgz`);
  const installed = run('npm', ['install', '-g', '--prefix', prefix, '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', archive], scratch);
  if (installed.status !== 0 && unreachable.test(installed.output)) {
    t.skip('the packages that pgloom needs cannot be fetched here');
    return;
  }
  assert.equal(installed.status, 0, installed.output);

  const command = (program: string, ...args: readonly string[]): Run => run(path.join(prefix, 'bin', program), args, scratch);
  assert.deepEqual(readdirSync(path.join(prefix, 'bin')).toSorted(), Object.keys(bin).toSorted());
  for (const program of Object.keys(bin)) accessSync(path.join(prefix, 'bin', program), constants.X_OK);
  for (const wanted of ['pgpool', 'pgpool_samples', 'pgpool_setup', 'watchdog_setup', 'pcp_node_info']) assert.ok(wanted in bin, `package.json has no command ${wanted}`);
  assert.deepEqual(command('pgpool', '-v'), { status: 0, output: `${versionText()}\n` });
  for (const program of ['pgpool_setup', 'watchdog_setup', 'pcp_node_info']) assert.equal(command(program, '--help').status, 0, program);

  const names = sampleFiles().map((file) => file.name);
  assert.deepEqual(readdirSync(path.join(prefix, 'lib/node_modules', name, 'dist/etc')).toSorted(), names);
  const written = command('pgpool_samples', '--etc');
  assert.equal(written.status, 0, written.output);
  assert.deepEqual(readdirSync(path.join(prefix, 'etc')).toSorted(), names);
  const checked = command('pgpool', 'check-config', '-f', path.join(prefix, 'etc/pgpool.conf.sample'), '-a', path.join(prefix, 'etc/pool_hba.conf.sample'), '-F', path.join(prefix, 'etc/pcp.conf.sample'));
  assert.equal(checked.status, 0, checked.output);
});
