/** Options, passwords and addresses of pgloom's pcp_* commands against Debian's 4.3.5. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { freePort } from '../../src/main/demo/free-port.js';
import { pcpCommands } from '../../src/main/cli/pcp/commands/all.js';
import type { Pgpool2 } from '../support/pgpool2.js';
import { assertSameOutcome, type ComparisonOptions } from './comparison.js';
import { PcpPrograms, skipWithoutDebian, type Outcome } from './pcp-programs.js';
import { pcpPassword, pcpUser, startPgpool2Server } from './pgpool2-server.js';

const debianLacks = ['pcp_log_rotate', 'pcp_invalidate_query_cache'];

describe("the options of pgloom's pcp commands", { skip: skipWithoutDebian }, () => {
  let programs: PcpPrograms;
  before(() => { programs = new PcpPrograms(''); });
  after(() => programs?.remove());
  const same = (args: readonly string[], options?: ComparisonOptions): Promise<Outcome> => assertSameOutcome(programs, args, options);

  for (const args of [
    ['--bogus'], ['-h'], ['--host'], ['-wz'], ['-wp'], ['-w', '-x', '-y'], ['-n', '1'], ['-w', '-?'], ['-w', '--help'], ['--hel'], ['--helpx'],
    ['-w', '-V'], ['-w', '--version'], ['-?w'], ['--v'], ['--ve'], ['--verbose=1'], ['--h'], ['-p', '0'], ['-p', '1024'], ['-p', '65536'], ['-p', 'abc'], ['-p', '-1'],
    ['-p', ''], ['-p', '0', '--bogus'], ['--bogus', '-p', '0'], ['--node'],
  ]) {
    const departures = args[0] === '--node' ? [["option '--node-id' requires an argument", "unrecognized option '--node'"]] as const : [];
    it(`fail alike: ${args.join(' ')}`, async () => { await same(['pcp_node_count', ...args], { departures }); });
  }

  it('of stopping fail alike', async () => {
    for (const args of [['-m', 'x'], ['-m', 'smar'], ['-m', ''], ['-s', 'x'], ['-m', 'smart', '-s'], ['--mode']]) await same(['pcp_stop_pgpool', ...args]);
  });

  it('without the id that is needed fail alike', async () => {
    for (const name of ['pcp_attach_node', 'pcp_detach_node', 'pcp_promote_node', 'pcp_recovery_node', 'pcp_health_check_stats']) await same([name]);
  });

  it('take what stands behind -- and behind other arguments', async () => {
    const port = String(await freePort());
    for (const args of [['--', '--bogus'], ['x', '-w'], ['-', 'x'], ['--', '-1'], ['x', '--', '-w', 'y']]) await same(['pcp_node_count', '-h', '127.0.0.1', '-p', port, '-w', ...args]);
  });

  for (const { name } of pcpCommands.filter((command) => !debianLacks.includes(command.name))) {
    it(`are in the usage text of ${name}, as in Debian's`, async () => {
      const own = await programs.run([name, '-?']);
      const debian = await programs.runDebian([name, '--help']);
      assert.equal(own.status, 0);
      assert.equal(own.stdout, debian.stdout);
      const optionsIn = (text: string): string[] => text.split('\n').flatMap((line) => /^ {2}(.{4}--\S+)/.exec(line)?.[1] ?? []).sort();
      const expected = [...optionsIn(debian.stderr), '    --json', '    --always-exit-0', '-V, --version', ...(name === 'pcp_stop_pgpool' ? ['-a, --all'] : [])];
      assert.deepEqual(optionsIn(own.stderr), expected.sort());
      const usageLine = (text: string): string | undefined => text.split('\n')[2]?.trimEnd();
      // Debian's does not say that pcp_node_info takes a node id.
      assert.equal(usageLine(own.stderr), name === 'pcp_node_info' ? 'pcp_node_info [OPTION...] [node-id]' : usageLine(debian.stderr));
    });
  }

  it('-V and --version print the version on the standard error', async () => {
    for (const option of ['-V', '--version']) {
      const { status, stdout, stderr } = await programs.run(['pcp_log_rotate', option, 'x']);
      assert.equal(status, 0);
      assert.equal(stdout, '');
      assert.match(stderr, /^pcp_log_rotate \(pgpool-II\) \d+\.\d+\.\d+ \(pgloom .*\)\n$/);
    }
  });

  it('are not read under a name that is no command', async () => {
    assert.deepEqual(await programs.run(['pcp_foo', '-?']), { status: 1, stdout: '', stderr: 'pcp_foo is a invalid PCP utility\n' });
  });

  it('refuse an id that is not a number, where Pgpool-II takes node 0', async () => {
    for (const id of ['abc', '1x', '0x1', '']) {
      const result = await programs.run(['pcp_detach_node', '-w', '-n', id]);
      assert.deepEqual(result, { status: 1, stdout: '', stderr: `pcp_detach_node: Invalid node-id "${id}", must be between 0 and 128\n` });
    }
  });

  it('refuse a long option of another command', async () => {
    const result = await programs.run(['pcp_promote_node', '-w', '--scope=local', '1']);
    assert.equal(result.status, 1);
    assert.match(result.stderr, /unrecognized option '--scope=local'/);
  });
});

describe("the addresses of pgloom's pcp commands", { skip: skipWithoutDebian }, () => {
  let programs: PcpPrograms;
  before(() => { programs = new PcpPrograms(''); });
  after(() => programs?.remove());

  it('fail alike where nobody listens', async () => {
    const port = String(await freePort());
    for (const host of [['-h', '127.0.0.1'], ['-h', 'localhost'], ['-h', '/tmp'], ['-h', '/does/not/exist'], [], ['-h', '']]) {
      await assertSameOutcome(programs, ['pcp_node_count', '-w', '-p', port, ...host]);
    }
  });

  it('fail clearly for a host without an address and for a path that is too long', async () => {
    const unknown = await programs.run(['pcp_node_count', '-w', '-h', 'no-such-host.invalid']);
    assert.equal(unknown.status, 1);
    assert.match(unknown.stderr, /^ERROR: could not retrieve hostname\. "no-such-host\.invalid" has no address \(E\w+\)\n$/);
    const long = await programs.run(['pcp_node_count', '-w', '-h', `/${'x'.repeat(120)}`]);
    assert.equal(long.status, 1);
    assert.match(long.stderr, /failed with error "File name too long"\n$/);
  });
});

describe("the passwords of pgloom's pcp commands", { skip: skipWithoutDebian }, () => {
  let server: Pgpool2;
  let programs: PcpPrograms;
  before(async () => {
    server = await startPgpool2Server();
    programs = new PcpPrograms('');
  });
  after(async () => {
    await server?.stop();
    programs?.remove();
  });
  const command = (...args: string[]): string[] => ['pcp_node_count', '-p', String(server.pcpPort), ...args];
  const tcp = (...args: string[]): string[] => command('-h', '127.0.0.1', '-U', pcpUser, ...args);

  for (const [input, ...args] of [
    [`${pcpPassword}\n`, '-W'], [pcpPassword, '-W'], ['wrong\n', '-W'], ['', '-W'], [pcpPassword, '-W', '-w'], [pcpPassword, '-w', '-W'], [pcpPassword], [''],
  ] as const) {
    it(`are asked for alike, with ${args.join(' ') || 'no option'} and ${JSON.stringify(input)}`, async () => {
      programs.writePassFile('');
      await assertSameOutcome(programs, tcp(...args), { input });
    });
  }

  const lines: readonly string[] = [
    '*:*:USER:SECRET\n', '*:*:USER:SECRET', '127.0.0.1:PORT:USER:SECRET\n', '127.0.0.1:*:*:SECRET\n', 'localhost:*:*:SECRET\n', '127.0.0.1:1:*:SECRET\n',
    '*:*:USER:wrong\n*:*:USER:SECRET\n', '#x\n*:*:USER:SECRET\n', '\n\n*:*:USER:SECRET\n', '*:*:USER:\\a s\\ecret\n', '*:*:USER:SECRET:more\n',
    '*:*:oper\\ator:SECRET\n', '*:*:oper*:SECRET\n', '\\*:*:USER:SECRET\n', ' *:*:USER:SECRET\n', '*:*:USER:SECRET\r\n', '*:*:USER\n', '*:*:USER:\n',
    '127\\.0.0.1:*:*:SECRET\n', '*:*:*:*:SECRET\n', '::*:*:SECRET\n', '',
  ];
  for (const line of lines) {
    it(`are found alike in .pcppass: ${JSON.stringify(line)}`, async () => {
      programs.writePassFile(line.replaceAll('USER', pcpUser).replaceAll('SECRET', pcpPassword).replaceAll('PORT', String(server.pcpPort)));
      await assertSameOutcome(programs, tcp('-w'));
    });
  }

  it('are found alike for a Unix socket, under the name of its directory', async () => {
    for (const host of [server.directory, 'localhost', '*']) {
      programs.writePassFile(`${host}:*:${pcpUser}:${pcpPassword}\n`);
      await assertSameOutcome(programs, command('-h', server.directory, '-U', pcpUser, '-w'));
    }
  });

  for (const mode of [0o644, 0o640, 0o604, 0o700, 0o400]) {
    it(`are found alike in a file of mode ${mode.toString(8)}, and a file that others may read is told of`, async () => {
      programs.writePassFile(`*:*:*:${pcpPassword}\n`, mode);
      const warning = `WARNING: password file "${programs.passFile}" has group or world access; permissions should be u=rw (0600) or less\n`;
      const mask = (result: Outcome): Outcome => ({ ...result, stderr: result.stderr.replace(warning, '') });
      await assertSameOutcome(programs, tcp('-w'), { mask });
      assert.equal((await programs.run(tcp('-w'))).stderr.includes(warning), (mode & 0o077) !== 0);
    });
  }

  it('are not looked for in a directory', async () => {
    const { status, stderr } = await programs.run(tcp('-w'), { env: { PCPPASSFILE: programs.directory } });
    assert.equal(status, 1);
    assert.match(stderr, /^WARNING: password file ".*" is not a plain file\nFATAL: {2}authentication failed/);
    await assertSameOutcome(programs, tcp('-w'), { env: { PCPPASSFILE: '' } });
    await assertSameOutcome(programs, tcp('-w'), { env: { PCPPASSFILE: '/does/not/exist' } });
  });

  it('are taken from .pcppass without a question, and asked for where it has none', async () => {
    programs.writePassFile(`*:*:${pcpUser}:${pcpPassword}\n`);
    assert.deepEqual(await programs.run(tcp()), { status: 0, stdout: '3\n', stderr: '' });
    assert.deepEqual(await programs.run(tcp('-W'), { input: 'wrong' }).then(({ status }) => status), 1);
  });

  it('that are wrong fail alike, and names that are unknown or too long', async () => {
    programs.writePassFile('*:*:*:wrong\n');
    await assertSameOutcome(programs, tcp('-w'));
    await assertSameOutcome(programs, tcp('-w', '-d'));
    for (const user of ['nobody', 'x'.repeat(127), 'x'.repeat(128), 'x'.repeat(500), '']) await assertSameOutcome(programs, command('-h', '127.0.0.1', '-w', '-U', user));
    await assertSameOutcome(programs, command('-h', '127.0.0.1', '-w'));
  });
});
