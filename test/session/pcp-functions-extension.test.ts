/** Beside the real extension: what pgloom answers where it is not installed is what it answers where it is. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Row, queryServer } from '../../src/main/demo/sql.js';
import { pcpConfLine } from '../pcp/pcp-client.js';
import { noPgpoolAdm, startPostgres15, type Postgres15 } from '../pcp/postgres15.js';
import { untilMatch } from '../support/eventually.js';
import { type Pgloom, startPgloom } from '../support/pgloom.js';

const skip = noPgpoolAdm;
let pgloom: Pgloom;
let server: Postgres15;

before(async () => {
  if (skip !== false) return;
  server = await startPostgres15();
  await ask(server.port, 'create database extended', 'postgres');
  await ask(server.port, 'create extension pgpool_adm', 'extended');
  pgloom = await startPgloom({ nodes: [{ host: '127.0.0.1', port: server.port }], settings: { num_init_children: 4, log_statement: true, log_per_node_statement: true }, pcp: pcpConfLine() });
});

after(async () => {
  if (skip !== false) return;
  await pgloom?.stop();
  server?.stop();
});

function ask(port: number, sql: string, database: string): Promise<Row[]> {
  return queryServer({ host: '127.0.0.1', port, user: 'postgres', database }, sql);
}

const login = (): string => `'127.0.0.1', ${pgloom.pcpPort}, 'postgres', 'secret'`;

for (const [what, sql] of Object.entries({
  'pcp_node_info': 'select * from pcp_node_info(0, L)',
  'a record': 'select pcp_node_info(0, L)',
  'pcp_health_check_stats': 'select * from pcp_health_check_stats(0, L) as h',
  'pcp_node_count': 'select pcp_node_count(L), pcp_node_count(L) + 1 as more, pcp_node_count(L)::text',
  'pcp_node_count in FROM': 'select * from pcp_node_count(L) as n',
  'pcp_node_count in FROM with an alias for its column': 'select n.c from pcp_node_count(L) as n(c)',
  'a NULL': "select * from pcp_node_info(null, '', 1, '', '')",
  'types': 'select pg_typeof(host) as a, pg_typeof(weight) as b, pg_typeof(replication_delay) as c, pg_typeof(last_status_change) as d, pg_typeof(port) as e from pcp_node_info(0, L)',
})) {
  test(`${what} is the same with and without the extension`, { skip }, async () => {
    const text = sql.replaceAll('L', login());
    const theirs = await ask(pgloom.port, text, 'extended');
    const ours = await ask(pgloom.port, text, 'postgres');
    assert.deepEqual(ours, theirs);
    assert.deepEqual(Object.keys(ours[0] ?? {}), Object.keys(theirs[0] ?? {}));
  });
}

test('the extension itself has been asked where it is, and no password is logged', { skip }, async () => {
  await assert.rejects(ask(pgloom.port, `select pcp_node_count('127.0.0.1', ${pgloom.pcpPort}, 'postgres', 'secret2')`, 'extended'), /connection to PCP server failed/);
  await assert.rejects(ask(pgloom.port, `select pcp_node_count('127.0.0.1', ${pgloom.pcpPort}, 'postgres', 'secret2')`, 'postgres'), /PCP authentication failed/);
  await ask(pgloom.port, 'drop extension pgpool_adm', 'extended');
  await assert.rejects(ask(pgloom.port, `select pcp_node_count('127.0.0.1', ${pgloom.pcpPort}, 'postgres', 'secret2')`, 'extended'), /PCP authentication failed/);
  await ask(pgloom.port, 'create extension pgpool_adm', 'extended');
  await assert.rejects(ask(pgloom.port, `select pcp_node_count('127.0.0.1', ${pgloom.pcpPort}, 'postgres', 'secret2')`, 'extended'), /connection to PCP server failed/);
  assert.ok(!(await untilMatch(pgloom.stderr, /\*{5}/)).includes('secret'));
});
