/** The age of what a standby lacks, and the reading of positions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WalHistory } from '../../src/main/cluster/wal-history.js';
import { microsecondsBehind, parseLsn, readPosition, senderNamed } from '../../src/main/cluster/wal-position.js';
import { delayUnknown, PgRole } from '../../src/shared/memory/node-table.js';

test('what a standby lacks is as old as the first position that it has not reached', () => {
  const history = new WalHistory();
  assert.equal(history.leastDelayUs(0n, 1000), 0);
  history.note(100n, 1000);
  history.note(100n, 2000);
  history.note(200n, 3000);
  history.note(150n, 3500);
  assert.equal(history.leastDelayUs(99n, 4000), 3_000_000);
  assert.equal(history.leastDelayUs(100n, 4000), 1_000_000);
  assert.equal(history.leastDelayUs(199n, 2900), 0, 'asked before');
  assert.equal(history.leastDelayUs(200n, 4000), 0);
});

test('a long history stays small, and an age in it is never too large', () => {
  const history = new WalHistory();
  for (let n = 1; n <= 100_000; n++) history.note(BigInt(n), n);
  for (const lsn of [0, 1, 777, 50_000, 99_000, 99_998]) {
    const ageMs = history.leastDelayUs(BigInt(lsn), 100_000) / 1000;
    assert.ok(ageMs <= 100_000 - (lsn + 1), `${lsn}: ${ageMs} ms`);
  }
  assert.equal(history.leastDelayUs(100_000n, 200_000), 0);
});

test('positions are read with all their 64 bits, and nothing else is taken for one', () => {
  assert.equal(parseLsn('16/B374D848'), 0x16_b374_d848n);
  assert.equal(parseLsn('FFFFFFFF/FFFFFFFF'), 2n ** 64n - 1n);
  for (const text of ['', null, undefined, '16', '16/', '16/G', '1/2/3', '123456789/0']) assert.equal(parseLsn(text), null, String(text));
});

test('an answer of another shape is no position', () => {
  for (const rows of [[], [[]], [[null, '0/1']], [['x', '0/1']]]) assert.equal(readPosition(rows, 0), null);
  assert.deepEqual(readPosition([['t', null]], 7), { role: PgRole.standby, lsn: null, senders: [], askedMs: 7 });
});

test('of several senders with one name the one that is furthest behind counts, and an unknown lag is further than any', () => {
  const position = readPosition([['f', '0/10', 'a', 'streaming', 'async', '5'], ['f', '0/10', 'b', 'streaming', 'async', '7'], ['f', '0/10', 'a', 'catchup', 'async', '6'], ['f', '0/10', 'c', null, null, 'soon']], 0);
  assert.ok(position !== null);
  assert.deepEqual(senderNamed(position, 'a'), { applicationName: 'a', state: 'catchup', syncState: 'async', replayLagUs: 6 });
  assert.deepEqual(senderNamed(position, 'c'), { applicationName: 'c', state: '', syncState: '', replayLagUs: null });
  assert.equal(senderNamed(position, 'd'), undefined);
  assert.equal(senderNamed(position, ''), undefined);
});

test('a standby that has replayed everything is in time, and one that is behind needs a sender to tell how late it is', () => {
  const sender = { applicationName: 'a', state: 'streaming', syncState: 'async', replayLagUs: 500 };
  assert.equal(microsecondsBehind(undefined, 0, 0), 0);
  assert.equal(microsecondsBehind(sender, 0, 0), 0);
  assert.equal(microsecondsBehind(sender, 1, 0), 500);
  assert.equal(microsecondsBehind(sender, 1, 900), 900);
  assert.equal(microsecondsBehind({ ...sender, replayLagUs: null }, 1, 900), delayUnknown);
  assert.equal(microsecondsBehind(undefined, 1, 900), delayUnknown);
});
