/** A client in its right mind that shares pgloom with the attackers and checks every answer that it gets. */
import assert from 'node:assert/strict';
import { rowsOf } from '../../test/support/wire-fields.js';
import { WireClient } from '../../test/support/wire.js';

const questionsPerSession = 40;
const answerLimitMs = 60_000;

/** Nothing of an earlier session may be left on the links of this one. */
const traces = `select current_setting('application_name'), current_setting('timezone') = 'Asia/Tokyo', current_setting('work_mem') = '2MB',
  (select count(*) from pg_prepared_statements), (select count(*) from pg_cursors), (select count(*) from pg_listening_channels()),
  (select count(*) from pg_class where relname = 'f' and pg_table_is_visible(oid)), (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid())`;

/** However short the attack was, and slow the machine. */
const leastAnswers = 60;

/** Works until `stop.now`, and some answers longer if need be; resolves with the number of answers checked. Fails at the first that is wrong. */
export async function witness(port: number, stop: { now: boolean }): Promise<number> {
  let checked = 0;
  const isOver = (): boolean => stop.now && checked >= leastAnswers;
  while (!isOver()) {
    const client = await WireClient.login(port, {}, answerLimitMs);
    try {
      await clean(client, '/* balanced */');
      client.query('begin');
      await answerOf(client);
      await clean(client, '/* primary */');
      client.query('commit');
      await answerOf(client);
      for (let n = 0; n < questionsPerSession && !isOver(); n++) checked += await ask(client, checked);
    } finally {
      client.end();
    }
  }
  return checked;
}

async function clean(client: WireClient, comment: string): Promise<void> {
  client.query(`${traces} ${comment}`);
  assert.deepEqual(await answerOf(client), [['', 'f', 'f', '0', '0', '0', '0', '0']]);
}

async function answerOf(client: WireClient): Promise<(string | null)[][]> {
  return rowsOf(await client.readUntil('Z'));
}

async function ask(client: WireClient, number: number): Promise<number> {
  client.query(`select ${number} as simple`);
  assert.deepEqual(await answerOf(client), [[String(number)]]);
  client.parse('select $1::text || $2::text');
  client.bind([String(number), 'mine']);
  client.execute();
  client.sync();
  client.query(`values (${number}, 'a'), (${number + 1}, 'b')`);
  assert.deepEqual(await answerOf(client), [[`${number}mine`]]);
  assert.deepEqual(await answerOf(client), [[String(number), 'a'], [String(number + 1), 'b']]);
  return 3;
}
