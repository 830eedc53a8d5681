/** log_client_messages beside Debian's Pgpool-II: the same session has to log the same lines. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { logLines, startLoggingPgpool2 } from '../routing/table/pgpool2.js';
import { type Pgloom, startPgloom } from '../support/pgloom.js';
import { noPgpool2, type Pgpool2 } from '../support/pgpool2.js';
import type { WireClient } from '../support/wire.js';
import { linePrefix, messagesOf, talkative } from './logged-lines.js';

const skip = noPgpool2;
const settings = { log_client_messages: true, ...linePrefix };

type Script = (client: WireClient) => void;

/** Each goes on at once, and is over with the last of `answers` ReadyForQuery. */
const scripts: readonly { readonly name: string; readonly answers: number; readonly play: Script }[] = [
  { name: 'simple queries', answers: 4, play: (client) => { for (const sql of ["select 'ä'", '', 'select "no such column"', 'show pool_version']) client.query(sql); } },
  { name: 'two statements in one query', answers: 1, play: (client) => client.query('select 1; select 2') },
  {
    name: 'the unnamed statement', answers: 1, play: (client) => {
      client.parse('select $1::int, $2::text', '', [23, 25]);
      client.bind(['1', 'a value']);
      client.describe('P');
      client.execute();
      client.sync();
    },
  },
  {
    name: 'named statement and portal, Close and Flush', answers: 1, play: (client) => {
      client.parse('select $1::int', 's "1"', [23]);
      client.describe('S', 's "1"');
      client.bind(['5'], 's "1"', 'p1');
      client.describe('P', 'p1');
      client.execute('p1', 1);
      client.close('P', 'p1');
      client.close('S', 's "1"');
      client.flush();
      client.sync();
    },
  },
  { name: 'a function call', answers: 1, play: (client) => client.functionCall(1598, []) },
];

describe('the client messages of a session are logged as Pgpool-II logs them:', { skip }, () => {
  let pgpool2: Pgpool2;
  let pgloom: Pgloom;
  before(async () => {
    pgpool2 = await startLoggingPgpool2(settings);
    pgloom = await startPgloom({ settings: { num_init_children: 4, log_disconnections: true, backend_weight0: 0, backend_weight2: 0, ...settings } });
  });
  after(async () => {
    await pgloom?.stop();
    await pgpool2?.stop();
  });

  async function compare(use: (client: WireClient) => Promise<void>): Promise<void> {
    const theirs = await messagesOf({ port: pgpool2.port, lines: (application) => logLines(pgpool2, application) }, use, /Terminate message from frontend/);
    assert.deepEqual(await messagesOf(talkative(pgloom), use), theirs);
    assert.ok(theirs.length > 1);
  }

  for (const { name, answers, play } of scripts) {
    it(name, () => compare(async (client) => {
      play(client);
      for (let answer = 0; answer < answers; answer++) await client.readUntil('Z');
    }));
  }

  it('COPY in, with its end and with its failure', () => compare(async (client) => {
    client.query('begin; create temp table copied (i int)');
    await client.readUntil('Z');
    for (const fails of [false, true]) {
      client.query('copy copied from stdin');
      await client.readUntil('G');
      for (const line of ['1\n', '2\n', '3\n']) client.copyData(line);
      if (fails) client.copyFail('no more');
      else client.copyDone();
      await client.readUntil('Z');
    }
  }));
});
