/** The short form of bench/fuzz/login. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fuzzLogins } from '../../bench/fuzz/login/login-fuzz.js';
import { withScene } from '../../bench/fuzz/login/scene.js';
import { sharedCluster } from '../support/cluster.js';

const cases = 2000;
const growthLimitBytes = 150_000_000;

it('random and damaged logins, over TLS and without, let nobody in and harm nobody', async (t) => {
  const [node] = sharedCluster().nodes;
  assert.ok(node !== undefined);
  await withScene({ node }, async (pgloom) => {
    const result = await fuzzLogins(pgloom, { cases });
    t.diagnostic(JSON.stringify(result));
    assert.deepEqual(result.differences, [], 'users can be told apart');
    assert.ok(result.loggedIn > cases / 100, 'those with the right password got in');
    assert.ok(result.overTls > cases / 20, 'some of it went over TLS');
    assert.ok(result.lateBytes - result.earlyBytes < growthLimitBytes, `memory grew from ${result.earlyBytes} to ${result.lateBytes} bytes`);
  });
});
