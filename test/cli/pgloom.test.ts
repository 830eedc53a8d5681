/** pgloom's pcp_* commands on pgloom: what a server of today sends is shown. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { startPgloom, withClient, type Pgloom } from '../support/pgloom.js';
import { PcpPrograms, type Outcome } from './pcp-programs.js';

describe("pgloom's pcp commands on pgloom", () => {
  let pgloom: Pgloom;
  let programs: PcpPrograms;
  before(async () => {
    pgloom = await startPgloom({ pcp: `operator:${createHash('md5').update('secret').digest('hex')}\n`, settings: { num_init_children: 4 } });
    programs = new PcpPrograms('*:*:operator:secret\n');
  });
  after(async () => {
    await pgloom?.stop();
    programs?.remove();
  });
  const run = (name: string, ...args: string[]): Promise<Outcome> => programs.run([name, '-h', '127.0.0.1', '-p', String(pgloom.pcpPort), '-U', 'operator', '-w', ...args]);
  const json = async (name: string, ...args: string[]): Promise<Record<string, Record<string, unknown>[]>> => {
    const { status, stdout, stderr } = await run(name, '--json', ...args);
    assert.deepEqual([status, stderr], [0, '']);
    return JSON.parse(stdout) as Record<string, Record<string, unknown>[]>;
  };

  it('show the nodes, over TCP and over the Unix socket', async () => {
    const { nodes } = await json('pcp_node_info');
    assert.deepEqual(nodes?.map(({ node_id: id, role, status }) => [id, role, status]), [[0, 'primary', 'up'], [1, 'standby', 'up'], [2, 'standby', 'up']]);
    const socket = await programs.run(['pcp_node_count', '-h', pgloom.socketDirectory, '-p', String(pgloom.pcpPort), '-U', 'operator', '-w']);
    assert.deepEqual(socket, { status: 0, stdout: '3\n', stderr: '' });
  });

  it('show a client and where it comes from', () => withClient(pgloom, async (client) => {
    await client.query('select 1');
    const { processes } = await json('pcp_proc_info');
    const shown = processes?.find(({ database, connected }) => database === 'test' && connected === true);
    assert.equal(shown?.['username'], 'postgres', JSON.stringify(processes));
    assert.equal(shown?.['client_host'], '127.0.0.1');
    assert.equal(typeof shown?.['client_port'], 'number');
  }));

  it('show parameters, counters and processes', async () => {
    const { settings } = await json('pcp_pool_status');
    assert.equal(settings?.find(({ name }) => name === 'num_init_children')?.['value'], '4');
    assert.equal((await json('pcp_health_check_stats', '2'))['node_id'], 2);
    assert.equal((await json('pcp_proc_count'))['process_count'], 4);
  });

  it('tell a failure by the exit status', async () => {
    for (const [name, ...args] of [['pcp_node_info', '77'], ['pcp_watchdog_info'], ['pcp_promote_node', '77'], ['pcp_recovery_node', '0'], ['pcp_invalidate_query_cache']] as const) {
      const { status, stdout, stderr } = await run(name, ...args);
      assert.deepEqual([status, stdout], [1, ''], name);
      assert.match(stderr, /^(ERROR|FATAL): {2}/);
    }
  });

  it('reload it, and stop it', async () => {
    assert.equal((await run('pcp_reload_config')).stdout, 'pcp_reload_config -- Command Successful\n');
    assert.equal((await run('pcp_stop_pgpool', '-m', 'fast')).stdout, 'pcp_stop_pgpool -- Command Successful\n');
    assert.equal(await pgloom.exited, 0);
  });
});
