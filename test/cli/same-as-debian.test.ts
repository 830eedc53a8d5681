/** pgloom's pcp_* commands against Debian's 4.3.5, on the same Pgpool-II: standard output, standard error, exit status. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client } from 'pg';
import { eventually } from '../support/eventually.js';
import type { Pgpool2 } from '../support/pgpool2.js';
import { assertSameOutcome, maskColumns, maskTitles, type ComparisonOptions } from './comparison.js';
import { PcpPrograms, skipWithoutDebian, type Outcome } from './pcp-programs.js';
import { pcpPassword, pcpUser, startPgpool2Server } from './pgpool2-server.js';

describe("pgloom's pcp commands print what Debian's print", { skip: skipWithoutDebian }, () => {
  let server: Pgpool2;
  let programs: PcpPrograms;
  let client: Client;
  before(async () => {
    server = await startPgpool2Server();
    programs = new PcpPrograms(`*:*:${pcpUser}:${pcpPassword}\n`);
    client = new Client({ host: '127.0.0.1', port: server.port, user: 'postgres', database: 'test' });
    await client.connect();
    await client.query('select 1');
  });
  after(async () => {
    await client?.end();
    await server?.stop();
    programs?.remove();
  });

  const connection = (): string[] => ['-h', '127.0.0.1', '-p', String(server.pcpPort), '-U', pcpUser, '-w'];
  const same = (name: string, args: readonly string[] = [], options?: ComparisonOptions): Promise<Outcome> => assertSameOutcome(programs, [name, ...connection(), ...args], options);

  for (const args of [[], ['-v'], ['-d'], ['--verbose'], ['ignored', 'too']]) {
    it(`of the number of nodes, with ${args.join(' ') || 'no option'}`, async () => { await same('pcp_node_count', args); });
  }

  for (const args of [
    [], ['-v'], ['-a'], ['-av'], ['-n', '0'], ['-n1', '-v'], ['2'], ['--node-id=1'], ['--node', '1', '--verb'], ['-d'], ['-d', '-v', '1'], [' 1'],
    ['0', '1'], ['-n', '0', '1'], ['-n', '3'], ['-n', '128'], ['-n', '129'], ['-n', '-1'], ['127'], ['+1'],
  ]) {
    it(`of the nodes, with ${args.join(' ') || 'no option'}`, async () => { await same('pcp_node_info', args); });
  }

  it('of the nodes, with real states in the columns', async () => {
    const { stdout } = await same('pcp_node_info');
    const rows = stdout.trimEnd().split('\n').map((line) => line.split(' '));
    assert.deepEqual(rows.map((row) => row[3]), ['0.166667', '0.333333', '0.500000']);
    assert.deepEqual(rows.map((row) => row[6]), ['primary', 'standby', 'standby']);
  });

  for (const args of [[], ['-v'], ['-d'], ['1']]) {
    it(`of the list of processes, with ${args.join(' ') || 'no option'}`, async () => { await same('pcp_proc_count', args); });
  }

  // In 4.3.5 the times of connecting have two columns each.
  for (const args of [[], ['-a'], ['-d'], ['-a', '-d']]) {
    it(`of the processes, with ${args.join(' ') || 'no option'}`, async () => { await same('pcp_proc_info', args, { mask: maskColumns(11) }); });
  }
  for (const args of [['-v'], ['-a', '-v'], ['-av']]) {
    it(`of the processes, with ${args.join(' ')}`, async () => { await same('pcp_proc_info', args, { mask: maskTitles('Client idle duration') }); });
  }
  it('of a process that serves a client', async () => {
    const { stdout } = await same('pcp_proc_info', [], { mask: maskColumns(11) });
    const line = stdout.split('\n')[0] ?? '';
    assert.match(line, /^test postgres \d{4}-/);
    const pid = /(\d+) \d Idle$/.exec(line)?.[1] ?? /(\d+) \d \S[^\d]*$/.exec(line)?.[1] ?? '';
    assert.match(pid, /^\d+$/, line);
    await same('pcp_proc_info', ['-P', pid], { mask: maskColumns(11) });
    await same('pcp_proc_info', [pid], { mask: maskColumns(11) });
    await same('pcp_proc_info', [pid, '-v', '--all'], { mask: maskTitles('Client idle duration') });
    await same('pcp_proc_info', ['--process-id', pid, 'more'], { mask: maskColumns(11) });
  });
  for (const args of [['-P', '999999999'], ['77'], ['-P', '0'], ['-P', '-5'], ['-P', 'abc'], ['-vP', '1']]) {
    it(`of a process that is not there, with ${args.join(' ')}`, async () => { await same('pcp_proc_info', args); });
  }

  // The time of memqcache_stats_start_time has a line end of its own, which Debian's print.
  const oneLineTime = (outcome: Outcome): Outcome => ({ ...outcome, stdout: outcome.stdout.replace(/( \d{4}\n)\n(?=desc : |Description:)/, '$1') });
  for (const args of [[], ['-v'], ['1']]) {
    it(`of the parameters, with ${args.join(' ') || 'no option'}`, async () => { await same('pcp_pool_status', args, { mask: oneLineTime }); });
  }
  it('of the parameters, with -d', async () => {
    await same('pcp_pool_status', ['-d'], { mask: oneLineTime, departures: [['DEBUG pcp_pool_status: send', 'DEBUG: send']] });
  });

  for (const args of [['-n', '0'], ['0'], ['1', '-v'], ['-v', '-n', '2'], ['3'], ['4'], ['128'], ['-n', '129'], ['0', '1'], []]) {
    it(`of the health check, with ${args.join(' ') || 'no option'}`, async () => { await same('pcp_health_check_stats', args); });
  }
  it('of the health check, with -d', async () => { await same('pcp_health_check_stats', ['0', '-d'], { departures: [['send: tos="L"', 'send: tos="H"']] }); });

  it('of an argument out of range, which Debian calls (null)', async () => {
    for (const name of ['pcp_attach_node', 'pcp_node_info', 'pcp_promote_node']) await same(name, ['129'], { departures: [['(null)', '129']] });
  });

  for (const args of [[], ['-v'], ['-d'], ['-n', '0'], ['2'], ['-n', '-3'], ['--watchdog-id=1', '-v']]) {
    it(`of a watchdog that is off, with ${args.join(' ') || 'no option'}`, async () => { await same('pcp_watchdog_info', args); });
  }

  it('of a real server, and in JSON the same', async () => {
    const json = async (name: string, ...args: string[]): Promise<Record<string, unknown>> => {
      const { status, stdout, stderr } = await programs.run([name, ...connection(), '--json', ...args]);
      assert.deepEqual([status, stderr], [0, '']);
      return JSON.parse(stdout) as Record<string, unknown>;
    };
    assert.deepEqual(await json('pcp_node_count'), { node_count: 3 });
    const { nodes } = await json('pcp_node_info') as { nodes: Record<string, unknown>[] };
    assert.deepEqual(nodes.map(({ node_id: id, role, weight }) => [id, role, Math.round(Number(weight) * 6)]), [[0, 'primary', 1], [1, 'standby', 2], [2, 'standby', 3]]);
    const { processes } = await json('pcp_proc_info') as { processes: Record<string, unknown>[] };
    assert.ok(processes.every(({ database, username, connected }) => database === 'test' && username === 'postgres' && connected === true), JSON.stringify(processes));
    assert.equal((await json('pcp_proc_count'))['process_count'], 3);
    const { settings } = await json('pcp_pool_status') as { settings: Record<string, unknown>[] };
    assert.equal(settings.find(({ name }) => name === 'port')?.['value'], String(server.port));
    assert.equal((await json('pcp_health_check_stats', '1'))['node_id'], 1);
    assert.deepEqual(await json('pcp_reload_config'), { command: 'pcp_reload_config', successful: true });
  });

  for (const args of [[], ['-v'], ['-d'], ['-s', 'l'], ['-s', 'local'], ['-s', 'c'], ['--scope=cluster'], ['-s', 'x'], ['-s', ''], ['-s', 'CLUSTER'], ['--sco', 'loc']]) {
    it(`of a reload, with ${args.join(' ') || 'no option'}`, async () => { await same('pcp_reload_config', args); });
  }

  for (const args of [[], ['-n', '128'], ['-n', '129'], ['-n', '-2'], ['--node-id']]) {
    it(`of an attach that fails, with ${args.join(' ') || 'no option'}`, async () => { await same('pcp_attach_node', args); });
    it(`of a detach that fails, with ${args.join(' ') || 'no option'}`, async () => { await same('pcp_detach_node', args); });
    it(`of a graceful detach that fails, with ${args.join(' ') || 'no option'}`, async () => { await same('pcp_detach_node', ['-g', ...args]); });
  }
  it('of a graceful detach, with -d', async () => { await same('pcp_detach_node', ['-g', '-d', '128'], { departures: [['send: tos="D"', 'send: tos="d"']] }); });

  for (const args of [[], ['7'], ['-g', '7'], ['-n', '128'], ['-n', '129'], ['-s', '7'], ['-n', '0'], ['-gsn', '0']]) {
    it(`of a promotion that fails, with ${args.join(' ') || 'no option'}`, async () => { await same('pcp_promote_node', args); });
  }
  it('of a promotion, with -d', async () => { await same('pcp_promote_node', ['-d', '7'], { departures: [['send: tos="E"', 'send: tos="J"']] }); });
  it('of a graceful promotion, with -d', async () => { await same('pcp_promote_node', ['-dg', '7'], { departures: [['send: tos="E"', 'send: tos="j"']] }); });

  for (const args of [[], ['0'], ['-n', '7'], ['-n', '128'], ['-n', '129'], ['-n', '1']]) {
    it(`of a recovery that fails, with ${args.join(' ') || 'no option'}`, async () => { await same('pcp_recovery_node', args); });
  }
  it('of a recovery, with -d', async () => { await same('pcp_recovery_node', ['-d', '7'], { departures: [['send: tos="D"', 'send: tos="O"']] }); });
});

describe("pgloom's pcp commands detach and attach a node of Pgpool-II as Debian's do", { skip: skipWithoutDebian }, () => {
  let server: Pgpool2;
  let programs: PcpPrograms;
  before(async () => {
    // A graceful detach waits for clients that long.
    server = await startPgpool2Server({ recovery_timeout: 1 });
    programs = new PcpPrograms(`*:*:${pcpUser}:${pcpPassword}\n`);
  });
  after(async () => {
    await server?.stop();
    programs?.remove();
  });
  const command = (name: string, ...args: string[]): string[] => [name, '-h', '127.0.0.1', '-p', String(server.pcpPort), '-U', pcpUser, '-w', ...args];
  /** A change of a node is done when Pgpool-II has begun a new PCP process: until then it may cut the connections to the old one. */
  const changing = async (change: () => Promise<Outcome>): Promise<Outcome> => {
    const started = (): number => server.log().split(/PCP process: \d+ started/).length;
    const before = started();
    const result = await change();
    await eventually(() => `${JSON.stringify(result)} has changed nothing:\n${server.log()}`, () => started() !== before);
    return result;
  };
  const play = async (run: (args: readonly string[]) => Promise<Outcome>): Promise<Outcome[]> => [
    await changing(() => run(command('pcp_detach_node', '2'))),
    await run(command('pcp_detach_node', '-g', '-n', '2')),
    await changing(() => run(command('pcp_attach_node', '-v', '2'))),
    await changing(() => run(command('pcp_detach_node', '--gracefully', '-n', '2'))),
    await changing(() => run(command('pcp_attach_node', '--node-id=2'))),
  ];

  it('one after the other', async () => {
    const debian = await play((args) => programs.runDebian(args));
    const own = await play((args) => programs.run(args));
    assert.match(own[1]?.stderr ?? '', /node id : 2 status: \[3\] is not valid for failover/);
    assert.deepEqual(own.map(({ status }) => status), [0, 1, 0, 0, 0]);
    assert.deepEqual(own.map(({ stdout, stderr }) => [stdout, stderr]), debian.map(({ stdout, stderr }) => [stdout, stderr]));
  });
});

describe("pgloom's pcp commands promote a node and stop Pgpool-II as Debian's do", { skip: skipWithoutDebian }, () => {
  // Each on a Pgpool-II of its own: what they change there, PostgreSQL's servers do not notice.
  for (const [name, ...args] of [
    ['pcp_promote_node', '-n', '1'], ['pcp_promote_node', '-s', '2'], ['pcp_promote_node', '-g', '--switchover', '1'],
    ['pcp_stop_pgpool'], ['pcp_stop_pgpool', '-m', 'f', '-a'], ['pcp_stop_pgpool', '-m', 'immediate', '-s', 'cluster'],
  ] as const) {
    it(`with ${[name, ...args].join(' ')}`, async () => {
      const outcomes: Outcome[] = [];
      const programs = new PcpPrograms(`*:*:${pcpUser}:${pcpPassword}\n`);
      try {
        for (const run of [programs.runDebian.bind(programs), programs.run.bind(programs)]) {
          const server = await startPgpool2Server({ recovery_timeout: 1 });
          try {
            outcomes.push(await run([name, '-h', '127.0.0.1', '-p', String(server.pcpPort), '-U', pcpUser, '-w', ...args]));
            if (name === 'pcp_stop_pgpool') await server.exited;
          } finally {
            await server.stop();
          }
        }
      } finally {
        programs.remove();
      }
      assert.deepEqual(outcomes[1], outcomes[0]);
      assert.equal(outcomes[1]?.stdout, `${name} -- Command Successful\n`);
    });
  }
});
