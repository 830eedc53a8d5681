import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { loadParser } from '../../src/workers/sql/parse.js';
import { PlanCache } from '../../src/workers/sql/plan-cache.js';
import { StatementKind } from '../../src/workers/sql/plan.js';
import { RecentMap } from '../../src/workers/sql/recent-map.js';

before(loadParser);

test('a text met again has the same plan object, and so has a text that differs in literals only', () => {
  const cache = new PlanCache();
  const plan = cache.planOf("select * from t where a = 1 and b = 'x'");
  assert.equal(cache.planOf("select * from t where a = 1 and b = 'x'"), plan);
  assert.equal(cache.planOf("select * from t\n where a = 25 and b = 'it''s' -- why"), plan);
  assert.notEqual(cache.planOf("select * from u where a = 1 and b = 'x'"), plan);
});

test('two SETs never share a plan', () => {
  const cache = new PlanCache();
  assert.equal(cache.planOf("set x = '1'").setting?.text, "set x = '1'");
  assert.equal(cache.planOf("set x = '2'").setting?.text, "set x = '2'");
});

test('neither many texts nor long ones make the cache grow beyond its limits', () => {
  const cache = new PlanCache({ maxEntries: 64, maxBytes: 40_000 });
  for (let i = 0; i < 500; i++) cache.planOf(`select a${i} from t where x = '${'y'.repeat(i * 8)}'`);
  assert.ok(cache.usage.entries <= 128);
  assert.ok(cache.usage.sizeBytes <= 80_000);
});

test('a text that is used all the time stays while others come and go', () => {
  const cache = new PlanCache({ maxEntries: 16 });
  const plan = cache.planOf('begin');
  for (let i = 0; i < 200; i++) {
    cache.planOf(`savepoint a${i}`);
    assert.equal(cache.planOf('begin'), plan);
  }
});

test('a long text is not kept, and a very long one is read from its shape', () => {
  const cache = new PlanCache();
  const long = `insert into t values ('${'x'.repeat(20_000)}')`;
  const plan = cache.planOf(long);
  assert.equal(plan.kind, StatementKind.write);
  assert.ok(!plan.opaque);
  assert.equal(cache.usage.entries, 1);
  assert.equal(cache.planOf(`insert into t values ('${'x'.repeat(200_000)}')`), plan);
  const select = new PlanCache().planOf(`select '${'x'.repeat(200_000)}'`);
  assert.equal(select.kind, StatementKind.read);
});

test('a text too long to parse is opaque', () => {
  const cache = new PlanCache();
  for (const text of [`select ${'a,'.repeat(40_000)}a`, `set x = '${'x'.repeat(70_000)}'`, `select '${'x'.repeat(2 << 20)}'`]) {
    const plan = cache.planOf(text);
    assert.equal(plan.kind, StatementKind.write);
    assert.ok(plan.opaque);
  }
});

test('names are read as UTF-8, and bytes of another encoding do no harm', () => {
  const cache = new PlanCache();
  assert.equal(cache.planOf(Buffer.from('select * from straße').toString('latin1')).relations[0]?.name, 'straße');
  assert.equal(cache.planOf('select * from stra\xdfe').kind, StatementKind.read);
  assert.ok(cache.planOf("select '\x95\\' from t").opaque);
});

test('a recent map holds at most what it was given, and weighs what it holds', () => {
  const map = new RecentMap<string, string>(8, 100, (key, value) => key.length + value.length);
  for (let i = 0; i < 1000; i++) {
    map.set(`k${i % 13}`, 'v'.repeat(i % 7));
    map.get(`k${(i * 5) % 13}`);
    assert.ok(map.size <= 8);
    assert.ok(map.sizeBytes <= 100 && map.sizeBytes >= 0);
  }
  map.set('big', 'x'.repeat(60));
  assert.equal(map.get('big'), undefined);
  map.clear();
  assert.equal(map.sizeBytes + map.size, 0);
});
