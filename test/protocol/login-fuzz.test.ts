/** The short form of bench/fuzz/login. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fuzzLogins } from '../../bench/fuzz/login/login-fuzz.js';
import { Sameness } from '../../bench/fuzz/login/sameness.js';
import { withScene } from '../../bench/fuzz/login/scene.js';
import { noSlapd } from '../auth/ldap-server.js';
import { sharedCluster } from '../support/cluster.js';

const growthLimitBytes = 150_000_000;

const stages = [
  { mode: 'pool_hba', cases: 2000, skip: false },
  { mode: 'auth_query', cases: 1500, skip: false },
  { mode: 'ldap', cases: 1500, skip: noSlapd },
] as const;

for (const { mode, cases, skip } of stages) {
  it(`random and damaged logins, over TLS and without, let nobody in and harm nobody (${mode})`, { skip }, async (t) => {
    const [node] = sharedCluster().nodes;
    assert.ok(node !== undefined);
    await withScene({ node, mode }, async (pgloom) => {
      const result = await fuzzLogins(pgloom, { cases, mode });
      t.diagnostic(JSON.stringify(result));
      assert.deepEqual(result.differences, [], 'users can be told apart');
      // It says nothing where nobody was compared.
      for (const method of ['md5', 'scram', 'password']) {
        const compared = [method, `${method} with a hash`].flatMap((asked) => result.compared[asked] ?? []);
        for (const user of ['', '_none', '_empty', '_nobody'].map((suffix) => `fuzz_${method}${suffix}`)) assert.ok(compared.includes(user), user);
      }
      assert.ok(result.loggedIn > cases / 100, 'those with the right password got in');
      assert.ok(result.overTls > cases / 20, 'some of it went over TLS');
      assert.ok(result.lateBytes - result.earlyBytes < growthLimitBytes, `memory grew from ${result.earlyBytes} to ${result.lateBytes} bytes`);
    });
  });
}

it('what tells one user from another is seen by the fuzz test', () => {
  const differencesAfter = (book: (sameness: Sameness) => void): readonly string[] => {
    const sameness = new Sameness();
    for (const user of ['a', 'b', 'c', 'a', 'b', 'c']) {
      sameness.addRefusal('scram', 'R10 R11 E no', user);
      sameness.addScramSalt(user, `salt of ${user}`, 4096);
    }
    book(sameness);
    return sameness.differences();
  };
  assert.deepEqual(differencesAfter((sameness) => sameness.addRefusal('md5', 'R5 E no', 'a')), []);
  assert.deepEqual(differencesAfter((sameness) => sameness.addRefusal('scram', 'R5 E no', 'b')), ['scram: a was told "R10 R11 E no"; b was told "R5 E no"']);
  assert.deepEqual(differencesAfter((sameness) => sameness.addScramSalt('b', 'another', 4096)), ['b was shown 2 salts']);
  assert.deepEqual(differencesAfter((sameness) => sameness.addScramSalt('d', 'salt of c', 4096)), ['c and d were shown the same salt']);
  assert.deepEqual(differencesAfter((sameness) => sameness.addScramSalt('b', 'salt of b', 4097)), ['iterations tell users apart: 4096, 4097']);
  const twice = (second: string) => (sameness: Sameness) => ['00000001', second].forEach((salt) => sameness.addMd5Salt('a', salt));
  assert.deepEqual(differencesAfter(twice('00000002')), []);
  assert.deepEqual(differencesAfter(twice('00000001')), ['a was shown the same md5 salt twice']);
});
