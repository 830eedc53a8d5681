/** Much data over TLS, faster than the other side takes it. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { message, query } from '../../src/shared/protocol/writer.js';
import { encryptedClient, hello, isReady, received, withTlsPgloom } from './fixture.js';
import type { Pgloom } from '../support/pgloom.js';

const resultBytes = 120_000_000;
const rowBytes = 10_000;
const copyBytes = 100_000_000;
/** Under what is transferred, and over the garbage that such a transfer leaves until it is collected. */
const memoryMarginBytes = 80_000_000;
/** Long enough for the whole result to come to a pgloom that does not hold the server back. */
const firstPauseMs = 1000;

function residentBytes(pid: number): number {
  const pages = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1];
  return Number(pages) * 4096;
}

/** Hashes the DataRows that come, and stops reading now and then so that everything behind us fills up. */
async function readSlowly(client: TLSSocket, pgloom: Pgloom): Promise<{ digest: string; rows: number; highestBytes: number }> {
  const hash = createHash('sha256');
  let [rows, highestBytes, bytes] = [0, 0, 0];
  let rest: Buffer = Buffer.alloc(0);
  let pauses = 0;
  for await (const chunk of client as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    rest = Buffer.concat([rest, chunk]);
    let at = 0;
    for (; at + 5 <= rest.length && at + 1 + rest.readInt32BE(at + 1) <= rest.length; at += 1 + rest.readInt32BE(at + 1)) {
      if (rest[at] === 0x44) {
        hash.update(rest.subarray(at + 11, at + 1 + rest.readInt32BE(at + 1)));
        rows++;
      }
      if (rest[at] === 0x5a) return { digest: hash.digest('hex'), rows, highestBytes };
    }
    rest = rest.subarray(at);
    if (bytes > (pauses + 1) * resultBytes / 20) {
      pauses++;
      await sleep(pauses === 1 ? firstPauseMs : 20);
      highestBytes = Math.max(highestBytes, residentBytes(pgloom.pid));
    }
  }
  throw new Error(`closed after ${rows} rows`);
}

async function loggedIn(pgloom: Pgloom): Promise<TLSSocket> {
  const client = await encryptedClient(pgloom);
  client.write(hello);
  await received(client, isReady);
  return client;
}

test('a long result reaches a slow client over TLS whole, and waits at the server meanwhile', async () => {
  await withTlsPgloom(async (pgloom) => {
    const client = await loggedIn(pgloom);
    const before = residentBytes(pgloom.pid);
    const rows = resultBytes / rowBytes;
    client.write(query(`select repeat(chr(33 + n % 90), ${rowBytes}) from generate_series(1, ${rows}) n`));
    const read = await readSlowly(client, pgloom);
    const expected = createHash('sha256');
    for (let n = 1; n <= rows; n++) expected.update(Buffer.alloc(rowBytes, 33 + n % 90));
    assert.equal(read.rows, rows);
    assert.equal(read.digest, expected.digest('hex'));
    assert.ok(read.highestBytes - before < memoryMarginBytes, `${read.highestBytes - before} bytes more`);
    client.destroy();
  });
});

test('a long COPY from a client over TLS reaches the server whole', async () => {
  await withTlsPgloom(async (pgloom) => {
    const client = await loggedIn(pgloom);
    client.write(query('create temp table t (line text); copy t from stdin'));
    await received(client, (bytes) => bytes.includes(Buffer.from([0x47, 0, 0, 0])));
    const before = residentBytes(pgloom.pid);
    let highestBytes = 0;
    const lineBytes = 1000;
    const block = message(0x64, Buffer.concat(Array.from({ length: 100 }, (_, i) => Buffer.from(`${String.fromCharCode(65 + i % 26).repeat(lineBytes - 1)}\n`))));
    for (let sent = 0; sent < copyBytes; sent += 100 * lineBytes) {
      if (!client.write(block)) await new Promise((resolve) => client.once('drain', resolve));
      highestBytes = Math.max(highestBytes, residentBytes(pgloom.pid));
    }
    client.write(message(0x63));
    await received(client, isReady);
    client.write(query("select count(*), md5(string_agg(line, '')) from (select line from t limit 200) s; select count(*), sum(length(line)) from t"));
    const answer = await received(client, isReady);
    const text = answer.toString('latin1');
    const lines = Array.from({ length: 200 }, (_, i) => String.fromCharCode(65 + (i % 100) % 26).repeat(lineBytes - 1)).join('');
    assert.ok(text.includes(createHash('md5').update(lines).digest('hex')), text);
    assert.ok(text.includes(String(copyBytes / lineBytes)) && text.includes(String(copyBytes / lineBytes * (lineBytes - 1))), text);
    assert.ok(highestBytes - before < memoryMarginBytes, `${highestBytes - before} bytes more`);
    client.destroy();
  });
});
