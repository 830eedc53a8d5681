/** The command line of `pgpool`. */
import assert from 'node:assert/strict';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { type CommandLine, parseCommandLine, startArguments } from '../../src/main/command/options.js';
import { debian, noDebian, runDebian, runOurs, withScratch } from './commands.js';

function parsed(...args: string[]): CommandLine {
  const line = parseCommandLine(args, {});
  assert.ok(!('print' in line), JSON.stringify(line));
  return line;
}

function fault(...args: string[]): string | undefined {
  const line = parseCommandLine(args, {});
  assert.ok('print' in line && line.print === 'usage', JSON.stringify(line));
  return line.fault;
}

test('every option is known by its letter and by its name, with its value joined or apart', () => {
  for (const args of [
    ['-a', '/h', '-f', '/c', '-F', '/p', '-k', '/k', '-n', '-D', '-C', '-d', '-x', '-m', 'fast'],
    ['-a/h', '-f/c', '-F/p', '-k/k', '-nDCdx', '-mf'],
    ['--hba-file=/h', '--config-file=/c', '--pcp-file=/p', '--key-file=/k', '--dont-detach', '--discard-status', '--clear-oidmaps', '--debug', '--debug-assertions', '--mode=fast'],
    ['--hba-file', '/h', '--config-file', '/c', '--pcp-file', '/p', '--key-file', '/k', '-n', '-D', '-C', '-d', '--mode', 'fast'],
  ]) {
    assert.deepEqual(parsed(...args), {
      word: 'start', configFile: '/c', hbaFile: '/h', pcpFile: '/p', keyFile: '/k',
      foreground: true, discardStatus: true, clearOidmaps: true, debug: true, mode: 'fast',
    } satisfies CommandLine);
  }
});

test('without options the files are the default ones and the stop is smart', () => {
  assert.deepEqual(parsed(), {
    word: 'start', configFile: '/etc/pgpool2/pgpool.conf', hbaFile: undefined, pcpFile: undefined, keyFile: join(userInfo().homedir, '.pgpoolkey'),
    foreground: false, discardStatus: false, clearOidmaps: false, debug: false, mode: 'smart',
  } satisfies CommandLine);
  const line = parseCommandLine([], { PGPOOLKEYFILE: 'my.key' });
  assert.equal('keyFile' in line && line.keyFile, resolve('my.key'));
});

test('long names may be shortened as long as they are unique', () => {
  assert.equal(parsed('--conf=/c').configFile, '/c');
  assert.equal(parsed('--dont').foreground, true);
  // The whole name of one option is the beginning of another.
  assert.equal(parsed('--debug').debug, true);
  assert.match(fault('--de') ?? '', /'--de' is ambiguous; possibilities: '--debug' '--debug-assertions'/);
  assert.deepEqual(parseCommandLine(['--ver']), { print: 'version' });
});

test('a value may begin with a dash, words and options mix, and -- ends the options', () => {
  assert.equal(parsed('-f', '-v').configFile, resolve('-v'));
  assert.deepEqual([parsed('stop', '-mi').word, parsed('stop', '-mi').mode], ['stop', 'immediate']);
  assert.equal(fault('--', '-v'), 'unknown argument "-v"');
  assert.equal(fault('-'), 'unknown argument "-"');
});

test('of the stop mode only the first letter counts', () => {
  for (const [text, mode] of [['s', 'smart'], ['f', 'fast'], ['i', 'immediate'], ['fusel', 'fast']] as const) assert.equal(parsed('-m', text, 'stop').mode, mode);
  for (const text of ['x', '', 'Fast', ' f']) assert.match(fault('-m', text, 'stop') ?? '', /invalid shutdown mode/);
});

test('faults are told, and -h before a fault is a plain -h', () => {
  assert.equal(fault('-Q'), "invalid option -- 'Q'");
  assert.equal(fault('-?'), "invalid option -- '?'");
  assert.equal(fault('-c'), "invalid option -- 'c'");
  assert.equal(fault('-f'), "option requires an argument -- 'f'");
  assert.equal(fault('--mode'), "option '--mode' requires an argument");
  assert.equal(fault('--help=3'), "option '--help' doesn't allow an argument");
  assert.equal(fault('--frobnicate=3'), "unrecognized option '--frobnicate=3'");
  assert.equal(fault('stop', 'stop'), 'too many arguments');
  assert.equal(fault('dance'), 'unknown argument "dance"');
  assert.equal(fault('-h', '-Q'), undefined);
  assert.equal(fault('-h', 'stop', 'stop'), undefined);
});

test('a start in the background gets the same files whatever directory it is in', () => {
  const line = parsed('-f', 'a.conf', '-a', 'b/hba', '-F', './pcp', '-k', 'key', '-DCd');
  assert.deepEqual(parsed(...startArguments(line)), line);
  assert.ok(line.configFile.startsWith('/') && line.hbaFile?.startsWith('/') && line.pcpFile?.startsWith('/') && line.keyFile.startsWith('/'));
});

test(`exit status and stream are those of Debian's ${debian}`, { skip: noDebian }, async () => {
  await withScratch({}, async ({ configFile, directory }) => {
    for (const args of [
      ['-h'], ['--help'], ['-v'], ['--version'], ['-Q'], ['--frobnicate'], ['-c'], ['-?'], ['-f'],
      ['dance'], ['stop', 'stop'], ['-m', 'x', 'stop'], ['-m', '', 'stop'], ['-m', 'x', '-h'], ['-h', 'stop', 'stop'],
      ['-f', configFile, 'reload'],
    ]) {
      const [mine, theirs] = await Promise.all([runOurs(args, { cwd: directory }), runDebian(args, { cwd: directory })]);
      assert.equal(mine.status, theirs.status, args.join(' '));
      assert.equal(mine.stdout, '', args.join(' '));
      assert.equal(theirs.stdout, '', args.join(' '));
      assert.notEqual(mine.stderr, '', args.join(' '));
      assert.equal(mine.stderr.includes('Usage:'), theirs.stderr.includes('Usage:'), args.join(' '));
    }
    // Its exit status of a stop without a pid file is 3, ours is 1.
    const stops = await Promise.all([runOurs(['-f', configFile, 'stop']), runDebian(['-f', configFile, 'stop'])]);
    assert.deepEqual(stops.map(({ status }) => status), [1, 3]);
    for (const { stderr } of stops) assert.match(stderr, /FATAL: {2}could not read pid file/);
  });
});
