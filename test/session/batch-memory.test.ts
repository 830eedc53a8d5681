/** What a client sends without ever ending its batch must not pile up. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readerIsNode1, withPgloom } from '../routing/where.js';
import { WireClient } from '../support/wire.js';

/** Resident memory of a process in MB, without the pages of files that it has mapped. */
function memoryMb(pid: number): number {
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}

/** Unnamed statements of 4 kB, each flushed; resolves when all are answered. */
async function parseMany(client: WireClient, count: number, kind: string): Promise<void> {
  const chunk = 500;
  const sql = `select 1 ${' '.repeat(4000)} ${kind}`;
  for (let left = count; left > 0; left -= chunk) {
    client.socket.cork();
    for (let i = 0; i < chunk; i++) {
      client.parse(sql);
      client.flush();
    }
    client.socket.uncork();
    for (let i = 0; i < chunk; i++) assert.equal((await client.readMessage()).type, '1');
  }
}

test('20,000 Parse messages with Flush and without a Sync cost pgloom no more than 50 MB', async () => {
  await withPgloom({ ...readerIsNode1, notice_per_node_statement: false, num_init_children: 2, worker_threads: 1 }, async (pgloom) => {
    // Both when the batch runs on the reader and when it runs on the primary.
    for (const kind of ['', 'for update']) {
      const client = await WireClient.login(pgloom.port, {}, 30_000);
      const text = kind === '' ? kind : 'from items for update';
      await parseMany(client, 5000, text);
      const before = memoryMb(pgloom.pid);
      await parseMany(client, 20_000, text);
      const grownMb = memoryMb(pgloom.pid) - before;
      assert.ok(grownMb < 50, `it grew by ${grownMb.toFixed(1)} MB`);
      client.sync();
      await client.readUntil('Z');
      client.end();
    }
  });
});
