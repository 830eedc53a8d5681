/** JDBC (Debian: libpostgresql-jdbc-java) through pgloom and beside it. The program is compiled first, so a JRE is not enough. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { programs, succeeds, testScenario } from './foreign-program.js';

const driver = '/usr/share/java/postgresql.jar';
// Short runs on a shared machine: what the second compiler and the collector's threads cost they do not bring in.
const frugal = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

function missing(): string | false {
  if (!existsSync(driver)) return 'libpostgresql-jdbc-java is not installed';
  return succeeds('javac', ['-version']) && succeeds('java', ['-version']) ? false : 'default-jdk-headless is not installed';
}
const skip = missing();

let classes = '';
before(() => {
  if (skip !== false) return;
  classes = mkdtempSync(join(tmpdir(), 'pgloom-jdbc-'));
  const sources = readdirSync(programs('jdbc')).map((file) => programs(join('jdbc', file)));
  const { status, stderr } = spawnSync('javac', [...frugal.map((flag) => `-J${flag}`), '-d', classes, '-cp', driver, ...sources], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
});
after(() => {
  if (classes !== '') rmSync(classes, { recursive: true, force: true });
});

testScenario({
  driver: 'JDBC',
  command: 'java',
  args: () => [...frugal, '-cp', `${driver}:${classes}`, 'JdbcScenario'],
  skip,
  checks: 40,
});
