/** The functions of pgpool_adm message by message: what a client that sends ahead sees, and when an order is carried out. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { type Pgloom, startPgloom } from '../support/pgloom.js';
import { WireClient } from '../support/wire.js';

/** Letters, with blanks for the eye. */
const joined = (letters: string): string => letters.replaceAll(' ', '');

for (const [arrangement, settings] of Object.entries({ 'three nodes': {}, 'one node at work': { backend_clustering_mode: 'raw' } })) {
  describe(arrangement, () => {
    let pgloom: Pgloom;
    before(async () => {
      pgloom = await startPgloom({ settings: { pcp_sql_users: 'postgres', num_init_children: 4, ...settings } });
    });
    after(() => pgloom.stop());

    const orders = (): number => pgloom.stderr().split('received failback request').length - 1;

    async function withWire(use: (client: WireClient) => Promise<void>): Promise<void> {
      const client = await WireClient.login(pgloom.port);
      try {
        await use(client);
      } finally {
        client.destroy();
      }
    }

    /** Letters of the answers up to and with so many ReadyForQuery. */
    async function letters(client: WireClient, ready = 1): Promise<string> {
      let all = '';
      for (let left = ready; left > 0; left--) for (const { type } of await client.readUntil('Z')) if (type !== 'S' && type !== 'N') all += type;
      return all;
    }

    function run(client: WireClient, text: string, name = ''): void {
      client.parse(text, name);
      client.bind([], name);
      client.describe('P');
      client.execute();
    }

    test('messages sent ahead are answered one for one', () => withWire(async (client) => {
      run(client, 'select 1');
      run(client, 'select pcp_node_count()', 'count');
      client.bind([], 'count');
      client.execute();
      client.describe('S', 'count');
      run(client, 'select 2', 'two');
      client.sync();
      run(client, 'select * from pcp_node_info(0)');
      client.sync();
      client.query('select pcp_node_count(); select 1');
      for (let round = 0; round < 2; round++) {
        client.bind([], 'count');
        client.describe('S', 'count');
        client.execute();
        client.sync();
      }
      client.close('S', 'count');
      client.sync();
      assert.equal(await letters(client, 6), joined('12TDC 12TDC 2DC tT 12TDC Z 12TDCZ TDCTDCZ 2tTDCZ 2tTDCZ 3Z'));
    }));

    test('an order behind others of its batch is carried out once for each Bind', () => withWire(async (client) => {
      const before = orders();
      run(client, 'select 1');
      run(client, 'select pcp_attach_node(1)', 'attach');
      client.bind([], 'attach');
      client.execute();
      client.sync();
      client.bind([], 'attach');
      client.execute();
      client.sync();
      client.describe('S', 'attach');
      client.sync();
      client.query('select pcp_attach_node(1)');
      assert.equal(await letters(client, 4), joined('12TDC12TDC2DCZ 2DCZ tTZ TDCZ'));
      await eventually('all four are carried out', () => orders() >= before + 4);
      assert.equal(orders(), before + 4);
    }));

    test('an order behind an error of its batch is not carried out', () => withWire(async (client) => {
      const before = orders();
      run(client, 'select nothing');
      run(client, 'select pcp_attach_node(1)');
      client.sync();
      run(client, 'select 1 / 0');
      run(client, 'select pcp_attach_node(1)', 'later');
      client.sync();
      run(client, 'select 3');
      client.sync();
      assert.equal(await letters(client, 3), joined('EZ 1EZ 12TDCZ'));
      client.query('begin; select 1 / 0');
      assert.equal(await letters(client), joined('CEZ'));
      run(client, 'select pcp_attach_node(1)');
      client.sync();
      client.query('select pcp_attach_node(1)');
      client.query('rollback');
      assert.equal(await letters(client, 3), joined('EZEZCZ'));
      assert.equal(orders(), before);
      // It was sent ahead, and is carried out when its turn has come.
      client.query('select 1 / 0');
      client.query('select pcp_attach_node(1)');
      assert.equal(await letters(client, 2), joined('EZTDCZ'));
      await eventually('one is carried out', () => orders() > before);
      assert.equal(orders(), before + 1);
    }));

    test('a refused call fails its batch, and no more', () => withWire(async (client) => {
      run(client, 'select * from pcp_node_info(7)', 'wrong');
      run(client, 'select 1');
      client.sync();
      run(client, 'select 2');
      client.sync();
      client.bind([], 'wrong');
      client.execute();
      client.sync();
      client.query('select * from pcp_node_info(7)');
      client.query('select 4');
      assert.equal(await letters(client, 5), joined('12EZ 12TDCZ 2EZ EZ TDCZ'));
    }));

    test('results come in the formats and portions that the client asks for', () => withWire(async (client) => {
      client.query('begin');
      assert.equal(await letters(client), joined('CZ'));
      client.parse('select item from pcp_pool_status()', 'status');
      client.bind([], 'status', 'portal');
      client.execute('portal', 2);
      client.execute('portal', 1);
      client.sync();
      client.execute('portal', 1);
      client.close('P', 'portal');
      client.sync();
      client.query('commit');
      assert.equal(await letters(client, 3), joined('12DDsDsZ Ds3Z CZ'));
    }));

    test('a client that leaves while it waits for an answer does no harm', async () => {
      for (let round = 0; round < 3; round++) {
        const client = await WireClient.login(pgloom.port);
        client.query("select pcp_node_count('localhost', 1, 'a', 'b'), pcp_node_count()");
        client.destroy();
      }
      await withWire(async (client) => {
        client.query('select pcp_node_count()');
        assert.equal(await letters(client), joined('TDCZ'));
      });
    });
  });
}
