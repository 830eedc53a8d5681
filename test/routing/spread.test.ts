/** Many sessions: how reads are spread, and that nobody misses their own writes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withClient } from '../support/pgloom.js';
import { where, withPgloom } from './where.js';

test('sessions read from the nodes as their weights say, and never from a node of weight 0', async () => {
  await withPgloom({ backend_weight0: 0, backend_weight1: 1, backend_weight2: 3 }, async (pgloom) => {
    const counts = [0, 0, 0];
    const sessions = 400;
    for (let i = 0; i < sessions; i += 10) {
      const nodes = await Promise.all(Array.from({ length: 10 }, () => withClient(pgloom, (client) => where(client))));
      for (const node of nodes) counts[node] = (counts[node] ?? 0) + 1;
    }
    assert.equal(counts[0], 0);
    // A quarter of 400 is 100, with a deviation of 8.7: bounds at six of them.
    assert.ok((counts[1] ?? 0) > 48 && (counts[1] ?? 0) < 152, counts.join());
  });
});

test('a session stays with its reader', async () => {
  await withPgloom({}, (pgloom) => withClient(pgloom, async (client) => {
    const nodes = new Set<number>();
    for (let i = 0; i < 20; i++) nodes.add(await where(client));
    assert.equal(nodes.size, 1);
  }));
});

/** Writes and reads back, in transactions; every row must be the session's own and current. */
async function workload(pgloom: { readonly host: string; readonly port: number }, id: number, rounds: number): Promise<number> {
  return withClient(pgloom, async (client) => {
    let wrong = 0;
    for (let round = 1; round <= rounds; round++) {
      await client.query('begin');
      const before = await client.query<{ name: string }>('select name from items where id = $1', [1]);
      if (before.rows[0]?.name !== 'item 1') wrong++;
      await client.query('insert into notes values ($1, $2) on conflict (id) do update set name = excluded.name', [id, `${id} round ${round}`]);
      const after = await client.query<{ name: string }>({ name: 'after', text: 'select name from notes where id = $1', values: [id] });
      if (after.rows[0]?.name !== `${id} round ${round}`) wrong++;
      if (round % 5 === 0) {
        await client.query('rollback');
        await client.query('begin');
        await client.query('update notes set name = $2 where id = $1', [id, `${id} round ${round}`]);
      }
      await client.query('commit');
      const echo = await client.query<{ n: number }>('select $1::int as n', [id * 1000 + round]);
      if (echo.rows[0]?.n !== id * 1000 + round) wrong++;
    }
    await client.query('delete from notes where id = $1', [id]);
    return wrong;
  });
}

test('under load every session reads its own writes and nobody else’s answers', async () => {
  await withPgloom({ worker_threads: 2 }, async (pgloom) => {
    const wrong = await Promise.all(Array.from({ length: 12 }, (_, i) => workload(pgloom, 700_000 + i, 40)));
    assert.deepEqual(wrong, wrong.map(() => 0));
  });
});
