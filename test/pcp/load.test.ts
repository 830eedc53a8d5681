/** Many, slow and hostile PCP clients, and those beside them that must not notice. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { attack } from '../../bench/pcp/attack.js';
import { numbersFrom, residentBytes } from '../../bench/fuzz/fuzz.js';
import { startPgloom, type Pgloom, withClient } from '../support/pgloom.js';
import { pcpConfLine, PcpClient, pcpPacket, strings } from './pcp-client.js';

async function withPgloom(settings: Readonly<Record<string, string | number | boolean>>, use: (pgloom: Pgloom) => Promise<void>): Promise<void> {
  const pgloom = await startPgloom({ settings, pcp: pcpConfLine() });
  try {
    await use(pgloom);
  } finally {
    await pgloom.stop();
  }
}

/** A session through pgloom asks until `work` is done; every answer must be right. */
async function beside(pgloom: Pgloom, work: () => Promise<void>): Promise<number> {
  return withClient(pgloom, async (session) => {
    const state = { isDone: false };
    const working = work().finally(() => { state.isDone = true; });
    let answers = 0;
    for (; !state.isDone; answers++) {
      const { rows } = await session.query('select $1::int as n', [answers]);
      assert.deepEqual(rows, [{ n: answers }]);
    }
    await working;
    return answers;
  });
}

test('200 PCP clients at once are all answered, while a session goes on', async () => {
  await withPgloom({ num_init_children: 8 }, async (pgloom) => {
    const answers = await beside(pgloom, async () => {
      const clients = await Promise.all(Array.from({ length: 200 }, () => PcpClient.login(pgloom.pcpPort)));
      await Promise.all(clients.map(async (client, at) => {
        for (let round = 0; round < 5; round++) {
          assert.equal((await client.rows('I', '-1\0')).length, 5);
          assert.equal((await client.rows('P', '0\0')).length, 8 * 4 * 3 + 2, `client ${at}`);
        }
        client.end();
      }));
    });
    assert.ok(answers > 20, `${answers} answers`);
  });
});

test('clients that log in late give way to those that log in: 600 silent ones keep nobody out', async () => {
  await withPgloom({ num_init_children: 2 }, async (pgloom) => {
    const silent = await Promise.all(Array.from({ length: 600 }, () => PcpClient.connect(pgloom.pcpPort)));
    const client = await PcpClient.login(pgloom.pcpPort);
    assert.equal((await client.request('L')).type, 'l');
    for (const { socket } of silent) socket.destroy();
    client.end();
  });
});

test('clients that do not read what they asked for cost little memory and hold up nobody', async () => {
  const settings = { num_init_children: 10_000, max_pool: 4, worker_threads: 1 };
  await withPgloom(settings, async (pgloom) => {
    const rows = 10_000 * 4 * 3;
    // Once, so that what is compiled and allocated for it is there.
    const first = await PcpClient.login(pgloom.pcpPort);
    assert.equal(await countRows(first), rows);
    const beforeBytes = residentBytes(pgloom.pid);
    const stuck = await Promise.all(Array.from({ length: 20 }, () => PcpClient.login(pgloom.pcpPort)));
    for (const { socket } of stuck) {
      socket.pause();
      socket.write(pcpPacket('P', '0\0'));
    }
    await sleep(500);
    const grownBytes = residentBytes(pgloom.pid) - beforeBytes;
    // Some 10 MB each if the answers were made at once.
    assert.ok(grownBytes < 100_000_000, `${grownBytes} bytes more`);
    await withClient(pgloom, async (session) => {
      for (let i = 0; i < 10; i++) await session.query('select 1');
    });
    assert.equal((await first.request('L')).type, 'l');
    // Whoever reads in the end gets everything.
    const late = stuck[0];
    late?.socket.resume();
    assert.equal(late === undefined ? 0 : await countRows(late, false), rows);
    for (const { socket } of stuck) socket.destroy();
    first.end();
  });
});

async function countRows(client: PcpClient, ask = true): Promise<number> {
  if (ask) client.send('P', '0\0');
  const announced = Number(strings((await client.read()).payload)[1]);
  let rows = 0;
  while (!(await client.read()).payload.toString('latin1', 0, 16).startsWith('CommandComplete')) rows += 1;
  assert.equal(rows, announced);
  return rows;
}

test('random and damaged packets harm nobody but those who send them', async () => {
  await withPgloom({ num_init_children: 8 }, async (pgloom) => {
    const where = join(pgloom.socketDirectory, `.s.PGSQL.${pgloom.pcpPort}`);
    const answers = await beside(pgloom, async () => {
      const login = { where, user: 'postgres', password: 'secret' };
      const results = await Promise.all([1, 2, 3, 4].map((seed) => attack(login, numbersFrom(seed), (connections) => connections >= 500)));
      assert.ok(results.every(({ bytesSent }) => bytesSent > 10_000));
    });
    assert.ok(answers > 20, `${answers} answers`);
    const client = await PcpClient.login(pgloom.pcpPort);
    assert.equal((await client.rows('I', '-1\0')).length, 5);
    client.end();
    assert.doesNotMatch(pgloom.stderr(), /STACK|internal error|PCP request/);
  });
});
