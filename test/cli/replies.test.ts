/** Replies of all versions, JSON, and replies that no real server sends. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { int32, type Field } from '../support/wire-fields.js';
import { assertSameOutcome } from './comparison.js';
import { message, withFakePcpServer, type Script } from './fake-pcp-server.js';
import { PcpPrograms, skipWithoutDebian, type Outcome } from './pcp-programs.js';

let programs: PcpPrograms;
before(() => { programs = new PcpPrograms('*:*:*:secret\n'); });
after(() => programs?.remove());

const complete = (letter: string, ...values: readonly string[]): Buffer => message(letter, 'CommandComplete', ...values);
const rows = (letter: string, tag: string, all: readonly (readonly string[])[], announced = all.length): Buffer[] => [
  message(letter, 'ArraySize', String(announced)), ...all.map((row) => message(letter, tag, ...row)), complete(letter),
];
const address = (port: number): string[] => ['-h', '127.0.0.1', '-p', String(port), '-U', 'u', '-w'];

/** pgloom's command against such a server. */
function ask(script: Script | readonly Uint8Array[], name: string, ...args: readonly string[]): Promise<Outcome> {
  return withFakePcpServer('answer' in script ? script : { answer: script }, ({ port }) => programs.run([name, ...address(port), ...args]));
}

async function askJson(answer: readonly Uint8Array[], name: string, ...args: readonly string[]): Promise<unknown> {
  const { status, stdout, stderr } = await ask(answer, name, '--json', ...args);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  return JSON.parse(stdout);
}

/** Both commands against the same answers. */
function same(answer: readonly Uint8Array[], name: string, ...args: readonly string[]): Promise<Outcome> {
  return withFakePcpServer({ answer }, ({ port }) => assertSameOutcome(programs, [name, ...address(port), ...args]));
}

const node12 = ['h1', '5432', '2', '0', 'up', '1073741823.500000', '2', 'primary', '0', '', '', '1700000000'];
const node12Late = ['h2', '5433', '3', '1', 'down', '1073741823.500000', '3', 'standby', '12345678', 'streaming', 'async', '1700000001'];
const node13 = ['h1', '5432', '2', '0', 'up', '2147483647.000000', '2', 'primary', '0', '0', '', '', '1700000000'];
const node13Late = ['h2', '5433', '1', '0', 'up', '0.000000', '3', 'standby', '1', '2500000', 'streaming', 'async', '1700000001'];
const process17 = [
  '4711', '2026-11-23 02:00:00 (4:59 before process restarting)', '3', '0', '1', 'shop', 'alice', '2026-11-23 02:01:00', '2026-11-23 02:02:00', '', '7 (0:53 before client disconnected)',
  '3', '0', '2', '815', '1', 'Idle',
];
const emptyProcess17 = ['4712', '2026-11-23 02:00:00', '0', '0', '0', '', '', '', '', '', '0', '0', '0', '0', '0', '0', 'Wait for connection'];

describe('the nodes of pcp_node_info', () => {
  it('are printed as Debian prints them, from the 12 fields of 4.3', { skip: skipWithoutDebian }, async () => {
    const unused = ['', '0', '0', '0', 'down', '0.0', '0', 'unknown', '0', '', '', '0'];
    for (const args of [[], ['-v'], ['-a'], ['-a', '-v']]) await same(rows('i', 'NodeInfo', [node12, node12Late, unused]), 'pcp_node_info', ...args);
    await same(rows('i', 'NodeInfo', [unused]), 'pcp_node_info');
    await same(rows('i', 'NodeInfo', [], 0), 'pcp_node_info');
    await same(rows('i', 'NodeInfo', [], 0), 'pcp_node_info', '-v');
    const odd = [['1', '0'], ['3', '0'], ['7', '1'], ['0', '0']].flatMap(([status = '', quarantine = '']) => ['0', '1', '3', '9'].map((role) => node12.with(2, status).with(3, quarantine).with(6, role)));
    await same(rows('i', 'NodeInfo', odd), 'pcp_node_info');
  });

  it('have the same columns from the 13 fields of newer versions', async () => {
    const { stdout, status } = await ask(rows('i', 'NodeInfo', [node13, node13Late]), 'pcp_node_info');
    assert.equal(status, 0);
    assert.deepEqual(stdout.split('\n').map((line) => line.split(' ').slice(0, -2).join(' ')), [
      'h1 5432 2 1.000000 up up primary primary 0 none none', 'h2 5433 1 0.000000 waiting up standby standby 2.500000 streaming async', '',
    ]);
  });

  it('say the unit of a delay that is a time', async () => {
    for (const [delay, text] of [['2500000', '2.500000 seconds'], ['1999999', '1.999999 second'], ['2000000', '2.000000 seconds'], ['0', '0.000000 second']] as const) {
      const { stdout } = await ask(rows('i', 'NodeInfo', [node13Late.with(9, delay)]), 'pcp_node_info', '-v');
      assert.ok(stdout.includes(`\nReplication Delay      : ${text}\n`), stdout);
    }
  });

  it('are typed in JSON, alike from both layouts', async () => {
    const first = {
      node_id: 0, hostname: 'h1', port: 5432, status: 'up', backend_status: 'up', weight: 0.5, role: 'primary', backend_role: 'primary',
      replication_delay_bytes: 0, replication_delay_seconds: null, replication_state: null, replication_sync_state: null, last_status_change: '2023-11-14T22:13:20.000Z',
    };
    assert.deepEqual(await askJson(rows('i', 'NodeInfo', [node12]), 'pcp_node_info'), { nodes: [first] });
    assert.deepEqual(await askJson(rows('i', 'NodeInfo', [node13]), 'pcp_node_info'), { nodes: [{ ...first, weight: 1 }] });
    assert.deepEqual(await askJson(rows('i', 'NodeInfo', [node13Late]), 'pcp_node_info', '1'), {
      nodes: [{
        node_id: 1, hostname: 'h2', port: 5433, status: 'waiting', backend_status: 'up', weight: 0, role: 'standby', backend_role: 'standby',
        replication_delay_bytes: null, replication_delay_seconds: 2.5, replication_state: 'streaming', replication_sync_state: 'async', last_status_change: '2023-11-14T22:13:21.000Z',
      }],
    });
    assert.deepEqual(await askJson(rows('i', 'NodeInfo', [], 0), 'pcp_node_info'), { nodes: [] });
  });
});

describe('the processes of pcp_proc_info', () => {
  it('are printed as Debian prints them, from the 17 fields of 4.3', { skip: skipWithoutDebian }, async () => {
    for (const args of [[], ['-v'], ['-a'], ['-av']]) await same(rows('p', 'ProcessInfo', [process17, emptyProcess17]), 'pcp_proc_info', ...args);
    await same(rows('p', 'ProcessInfo', [emptyProcess17]), 'pcp_proc_info');
    await same(rows('p', 'ProcessInfo', [], 0), 'pcp_proc_info');
  });

  it('have more columns when the server sends 18 or 21 fields', async () => {
    for (const more of [['1'], ['0', '10.0.0.9', '40222', 'select 1']]) {
      const { stdout } = await ask(rows('p', 'ProcessInfo', [[...process17, ...more]]), 'pcp_proc_info');
      assert.equal(stdout, `shop alice ${process17[1]} 3 3 0 ${process17[7]} ${process17[8]} ${process17[10]}  2 815 1 4711 1 Idle ${more.join(' ')}\n`);
    }
    const { stdout } = await ask(rows('p', 'ProcessInfo', [[...process17, '0', '10.0.0.9', '40222', 'select 1']]), 'pcp_proc_info', '-v');
    assert.ok(stdout.endsWith('\nLoad balance node         : 0\nclient_host               : 10.0.0.9\nclient_port               : 40222\nstatement                 : select 1\n\n'), stdout);
  });

  it('are typed in JSON, with null for what the server does not tell', async () => {
    const json = {
      process_id: 4711, start_time: '2026-11-23 02:00:00', seconds_before_restart: 299, client_connection_count: 3, pool_id: 0, backend_id: 1, database: 'shop', username: 'alice',
      backend_connection_time: '2026-11-23 02:01:00', client_connection_time: '2026-11-23 02:02:00', client_disconnection_time: null, client_idle_seconds: 7, seconds_before_disconnect: 53,
      protocol_major: 3, protocol_minor: 0, pool_counter: 2, backend_pid: 815, connected: true, status: 'Idle',
    };
    assert.deepEqual(await askJson(rows('p', 'ProcessInfo', [process17, emptyProcess17]), 'pcp_proc_info'), {
      processes: [{ ...json, load_balance_node: null, client_host: null, client_port: null, statement: null }],
    });
    assert.deepEqual(await askJson(rows('p', 'ProcessInfo', [[...process17, '1', 'h', '1', 'x']]), 'pcp_proc_info'), {
      processes: [{ ...json, load_balance_node: true, client_host: 'h', client_port: 1, statement: 'x' }],
    });
  });

  it('cannot make two lines of one nor talk to the terminal', async () => {
    const { stdout } = await ask(rows('p', 'ProcessInfo', [[...process17, '0', 'h', '1', 'select\n\u001b[2J\u009b1']]), 'pcp_proc_info');
    assert.equal(stdout.split('\n').length, 2);
    assert.ok(stdout.endsWith(' select\\n\\x1b[2J\\x9b1\n'), stdout);
  });
});

describe('the watchdog of pcp_watchdog_info', () => {
  const nodeOf = (id: number, extra: object): object => ({
    ID: id, State: id === 0 ? 4 : 7, StateName: id === 0 ? 'LEADER' : 'STANDBY', Membership: id, MembershipString: id === 0 ? 'MEMBER' : 'REVOKED',
    NodeName: `n${id}:9999 Linux n${id}`, HostName: `n${id}`, DelegateIP: '10.0.0.1', WdPort: 9000, PgpoolPort: 9999, Priority: 1 + id, ...extra,
  });
  const watchdog = (quorum: number, escalated: number, extra: object = {}): Buffer[] => [complete('w', JSON.stringify({
    RemoteNodeCount: 1, MemberRemoteNodeCount: 0, NodesRequireForQuorum: 2, QuorumStatus: quorum, AliveNodeCount: 1, Escalated: escalated,
    LeaderNodeName: 'n0:9999 Linux n0', LeaderHostName: 'n0', NodeCount: 2, WatchdogNodes: [nodeOf(0, extra), nodeOf(1, extra)],
  }))];

  for (const quorum of [1, 0, -1, -2, 5]) {
    it(`is printed as Debian prints it, with quorum state ${quorum}`, { skip: skipWithoutDebian }, async () => {
      await same(watchdog(quorum, quorum === 1 ? 1 : 0), 'pcp_watchdog_info', '-v');
      await same(watchdog(quorum, quorum === 1 ? 1 : 0), 'pcp_watchdog_info');
    });
  }

  it('tells whether the lifecheck has started when the server does', async () => {
    const plain = await ask(watchdog(1, 1, { LifecheckStarted: 1 }), 'pcp_watchdog_info');
    assert.equal(plain.stdout, '2 1 YES n0:9999 Linux n0 n0\n\nn0:9999 Linux n0 n0 9999 9000 4 LEADER 0 MEMBER YES\nn1:9999 Linux n1 n1 9999 9000 7 STANDBY 1 REVOKED YES\n');
    const verbose = await ask(watchdog(1, 1, { LifecheckStarted: false }), 'pcp_watchdog_info', '-v');
    assert.ok(verbose.stdout.endsWith('Membership Status : REVOKED\nLifecheck Started : NO\n\n'), verbose.stdout);
  });

  it('is typed in JSON', async () => {
    const json = await askJson(watchdog(-1, 0), 'pcp_watchdog_info', '0') as { nodes: unknown[] };
    assert.deepEqual({ ...json, nodes: json.nodes.slice(0, 1) }, {
      total_nodes: 2, remote_nodes: 1, member_remote_nodes: 0, alive_remote_nodes: 1, nodes_required_for_quorum: 2, quorum: 'absent', escalated: false,
      leader_node_name: 'n0:9999 Linux n0', leader_hostname: 'n0', nodes: [{
        watchdog_id: 0, node_name: 'n0:9999 Linux n0', hostname: 'n0', delegate_ip: '10.0.0.1', pgpool_port: 9999, watchdog_port: 9000, priority: 1,
        state: 4, state_name: 'LEADER', membership: 0, membership_name: 'MEMBER', lifecheck_started: null,
      }],
    });
  });

  it('that is not such a text is refused', async () => {
    for (const text of ['', '{"x', '[]', 'null', '{"NodeCount":1}', '{"NodeCount":1,"WatchdogNodes":[3]}', '{"NodeCount":2,"WatchdogNodes":[]}']) {
      const { status, stdout, stderr } = await ask([complete('w', text)], 'pcp_watchdog_info');
      assert.deepEqual([status, stdout], [1, ''], text);
      assert.match(stderr, /^ERROR: invalid response from the server: /);
    }
  });
});

describe('other replies', () => {
  it('are typed in JSON', async () => {
    assert.deepEqual(await askJson([complete('l', '3')], 'pcp_node_count'), { node_count: 3 });
    assert.deepEqual(await askJson([complete('n', '2', '11', '12')], 'pcp_proc_count'), { process_count: 2, process_ids: [11, 12] });
    assert.deepEqual(await askJson([complete('c')], 'pcp_attach_node', '1'), { command: 'pcp_attach_node', successful: true });
    const status = [message('b', Buffer.concat([Buffer.from('ArraySize\0'), int32(1)])), message('b', 'ProcessConfig', 'port', '9999', 'a "port"'), complete('b')];
    assert.deepEqual(await askJson(status, 'pcp_pool_status'), { settings: [{ name: 'port', value: '9999', description: 'a "port"' }] });
    const stats = ['1', 'h', '5432', 'up', 'standby', '2026-11-23 02:00:00', '10', '9', '1', '0', '2', '0.200000', '1', '8', '1', '-nan', '2026-11-23 02:00:00', '', '', ''];
    const json = await askJson([complete('h', ...stats)], 'pcp_health_check_stats', '1') as Record<string, unknown>;
    assert.deepEqual([json['node_id'], json['average_retry_count'], json['max_duration_ms'], json['average_duration_ms'], json['last_failed_health_check']], [1, 0.2, 8, null, null]);
    assert.equal(Object.keys(json).length, 20);
  });

  it('come to the right request', async () => {
    const cases: readonly (readonly [request: string, reply: string, command: string, ...args: string[]])[] = [
      ['C2\0', 'c', 'pcp_attach_node', '2'], ['D2\0', 'd', 'pcp_detach_node', '2'], ['d2\0', 'd', 'pcp_detach_node', '-g', '2'],
      ['J2 \0n', 'd', 'pcp_promote_node', '2'], ['j2 \0s', 'd', 'pcp_promote_node', '-g', '-s', '2'], ['O2\0', 'c', 'pcp_recovery_node', '2'],
      ['Ts', 't', 'pcp_stop_pgpool'], ['tf', 't', 'pcp_stop_pgpool', '-m', 'fast', '-s', 'c'], ['Zl', 'z', 'pcp_reload_config'], ['Zc', 'z', 'pcp_reload_config', '--scope', 'cluster'],
      ['Vl', 'v', 'pcp_log_rotate'], ['Vc', 'v', 'pcp_log_rotate', '-sc'], ['G', 'g', 'pcp_invalidate_query_cache'],
    ];
    for (const [request, reply, command, ...args] of cases) {
      await withFakePcpServer({ answer: [complete(reply)] }, async ({ port, requests }) => {
        assert.deepEqual(await programs.run([command, ...address(port), ...args]), { status: 0, stdout: `${command} -- Command Successful\n`, stderr: '' });
        assert.deepEqual(requests, ['M', 'R', request, 'X']);
      });
    }
  });

  it('may come byte by byte', async () => {
    const { stdout } = await ask({ answer: rows('p', 'ProcessInfo', [process17]), slowly: true }, 'pcp_proc_info');
    assert.match(stdout, /^shop alice /);
  });

  it('may have notices before them, which are printed with -d only', { skip: skipWithoutDebian }, async () => {
    const fields: readonly Field[] = ['SNOTICE', 'CXX000', 'Mhello', 'Dworld', 'Ffile', 'L1', ''];
    for (const args of [[], ['-d']]) await same([message('N', ...fields), complete('l', '3')], 'pcp_node_count', ...args);
  });

  it('that fail are told as Debian tells them', { skip: skipWithoutDebian }, async () => {
    await same([message('E', 'SERROR', 'CXX000', 'Moops', 'Dwhy', 'Hdo it', 'Ffile', 'L1', '')], 'pcp_node_count');
    await same([message('E', 'SERROR', 'Moops', '')], 'pcp_node_count', '-v');
    await same([message('c', 'Nope')], 'pcp_attach_node', '0');
    await same([message('l', 'Whatever', '3')], 'pcp_node_count');
    await same([message('q', 'CommandComplete', '3')], 'pcp_node_count');
    await withFakePcpServer({ answer: [], close: true }, ({ port }) => assertSameOutcome(programs, ['pcp_node_count', ...address(port)]));
    await withFakePcpServer({ answer: [Buffer.from('l\0\0\0\x20Comm')], close: true }, ({ port }) => assertSameOutcome(programs, ['pcp_node_count', ...address(port)]));
  });

  it('that fail keep words that begin with S, M and D', async () => {
    const { stderr } = await ask([message('E', 'SERROR', 'MDown', 'DMore: Dead', '')], 'pcp_node_count');
    assert.equal(stderr, 'ERROR:  Down\nDETAIL:  More: Dead\n\n');
  });
});

describe('the exit status', () => {
  const failing = [message('E', 'SERROR', 'Moops', 'Dwhy', '')];
  it('tells a failure, or is 0 with the switch in the options or the environment', async () => {
    assert.equal((await ask(failing, 'pcp_node_count')).status, 1);
    assert.equal((await ask(failing, 'pcp_node_count', '--always-exit-0')).status, 0);
    await withFakePcpServer({ answer: failing }, async ({ port }) => {
      for (const [value, status] of [['1', 0], ['', 1], ['0', 1]] as const) {
        assert.equal((await programs.run(['pcp_node_count', ...address(port)], { env: { PGLOOM_PCP_ALWAYS_EXIT_0: value } })).status, status);
      }
    });
    assert.equal((await programs.run(['pcp_node_count', '-p', '1'])).status, 1);
    assert.equal((await programs.run(['pcp_node_count', '-p', '1', '--always-exit-0'])).status, 0);
    // Here Pgpool-II's commands tell a failure, too.
    assert.equal((await programs.run(['pcp_node_count', '--always-exit-0', '--bogus'])).status, 1);
    assert.equal((await programs.run(['pcp_node_count', '--always-exit-0', '-w', '-h', '/does/not/exist'])).status, 1);
  });

  it('comes with a JSON document that has the error', async () => {
    const { status, stdout, stderr } = await ask(failing, 'pcp_node_count', '--json', '-d');
    assert.equal(status, 1);
    assert.deepEqual(JSON.parse(stdout), { error: { severity: 'ERROR', message: 'oops', detail: 'why' } });
    assert.match(stderr, /DEBUG: send: tos="L", len=4\n[^]*ERROR: {2}oops\nDETAIL: {2}why\n\n/);
    const refused = await programs.run(['pcp_node_count', '--json', '-w', '-h', '/does/not/exist']);
    assert.deepEqual(JSON.parse(refused.stdout), {
      error: { severity: 'ERROR', message: 'connection to socket "/does/not/exist/.s.PGSQL.9898" failed with error "No such file or directory"', detail: null },
    });
    const outOfRange = await programs.run(['pcp_node_count', '-p', '1', '--json']);
    assert.equal((JSON.parse(outOfRange.stdout) as { error: { message: string } }).error.message, 'pcp_node_count: Invalid port number "1", must be between 1024 and 65535');
  });
});

describe('a hostile server', () => {
  const header = (letter: string, lengthBytes: number): Buffer => Buffer.concat([Buffer.from(letter, 'latin1'), int32(lengthBytes)]);
  const answers: Readonly<Record<string, readonly [command: string, ...answer: Uint8Array[]]>> = {
    'sends a huge length': ['pcp_node_count', header('l', 0x7fffffff)],
    'sends a negative length': ['pcp_node_count', header('l', -1)],
    'sends a length of 3': ['pcp_node_count', header('l', 3)],
    'sends an empty message': ['pcp_node_count', header('l', 4)],
    'sends garbage': ['pcp_node_count', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    'sends a string without its end': ['pcp_node_count', Buffer.concat([header('l', 19), Buffer.from('CommandComplete')])],
    'sends no number': ['pcp_node_count', complete('l')],
    'sends a word for a number': ['pcp_node_count', complete('l', 'many')],
    'announces more processes than it sends': ['pcp_proc_count', complete('n', '2', '11')],
    'sends more rows than announced': ['pcp_node_info', ...rows('i', 'NodeInfo', [node12, node12], 1)],
    'sends a short node': ['pcp_node_info', ...rows('i', 'NodeInfo', [node12.slice(1)])],
    'sends a node with words for numbers': ['pcp_node_info', ...rows('i', 'NodeInfo', [node12.with(1, 'port')])],
    'sends rows of another kind': ['pcp_node_info', ...rows('i', 'ProcessInfo', [process17])],
    'sends a short process': ['pcp_proc_info', ...rows('p', 'ProcessInfo', [process17.slice(1)])],
    'sends a wrong ArraySize': ['pcp_proc_info', message('p', 'ArraySize', 'x')],
    'sends a short parameter': ['pcp_pool_status', message('b', Buffer.concat([Buffer.from('ArraySize\0'), int32(1)])), message('b', 'ProcessConfig', 'port'), complete('b')],
    'sends too few bytes of rows to count': ['pcp_pool_status', message('b', 'ArraySize', Buffer.from([1]))],
    'sends short health check counters': ['pcp_health_check_stats', complete('h', '0', 'h')],
    'sends a letter that is a control character': ['pcp_node_count', header('\u001b', 4)],
  };
  for (const [does, [command, ...answer]] of Object.entries(answers)) {
    it(`that ${does} is told of, with status 1`, async () => {
      const { status, stdout, stderr } = await ask({ answer, close: true }, command, '1');
      assert.equal(status, 1);
      assert.equal(stdout, '');
      assert.match(stderr.replace(/^.* ignored\n/, ''), /^ERROR: (invalid|unable).*\n$/);
      assert.ok(!stderr.includes('\u001b'));
    });
  }

  it('is told of during the login, too', async () => {
    for (const script of [
      { salt: message('m', Buffer.alloc(3)) }, { salt: message('x') }, { salt: Buffer.from('garbage in great quantity') }, { welcome: message('r', 'Perhaps') },
      { welcome: message('E', 'SFATAL', 'Mno', '') },
    ]) {
      const { status, stdout, stderr } = await ask({ answer: [], ...script }, 'pcp_node_count', '--always-exit-0');
      assert.deepEqual([status, stdout], [1, '']);
      assert.match(stderr, /^(ERROR|FATAL): /);
    }
  });

  it('that is silent is left by Ctrl-C', async () => {
    await withFakePcpServer({ answer: [] }, async ({ port, asked }) => {
      const child = programs.start(['pcp_node_count', ...address(port)]);
      const ended = new Promise<unknown>((resolve) => { child.once('close', (code, signal) => resolve(signal ?? code)); });
      await asked;
      child.kill('SIGINT');
      assert.equal(await ended, 'SIGINT');
    });
  });
});

describe('addresses', () => {
  it('may be of IPv6', async (test) => {
    try {
      await withFakePcpServer({ answer: [complete('l', '3')], host: '::1' }, async ({ port }) => {
        assert.deepEqual(await programs.run(['pcp_node_count', '-h', '::1', '-p', String(port), '-w']), { status: 0, stdout: '3\n', stderr: '' });
      });
    } catch (error) {
      if (!['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      test.skip('this machine has no IPv6');
    }
  });
});
