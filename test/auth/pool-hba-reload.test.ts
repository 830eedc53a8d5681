import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client, DatabaseError } from 'pg';
import { launch, type Launched } from '../log/launch.js';
import { sharedCluster } from '../support/cluster.js';
import { eventually, untilMatch } from '../support/eventually.js';

const command = fileURLToPath(new URL('../../src/main/pgpool.js', import.meta.url));
const trust = 'host all all 127.0.0.1/32 trust\n';
const reject = 'host all all 127.0.0.1/32 reject\n';
const settings = { enable_pool_hba: true };

/** Logs in. @returns the detail of the refusal, or null */
async function refusal({ port }: Launched): Promise<string | null> {
  const { user, database } = sharedCluster();
  const client = new Client({ host: '127.0.0.1', port, user, database });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
    return null;
  } catch (error) {
    assert.ok(error instanceof DatabaseError, String(error));
    return error.detail ?? error.message;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Workers hear of a reload a little later. */
async function untilRefused(pgloom: Launched, isRefused: boolean): Promise<void> {
  await eventually(`clients are ${isRefused ? 'refused' : 'let in'}`, async () => (await refusal(pgloom) !== null) === isRefused);
}

test('a reload takes new rules, and a faulty file leaves the old ones in force', async t => {
  const pgloom = await launch(t, settings);
  const file = path.join(pgloom.directory, 'pool_hba.conf');
  // Empty at the start: nobody.
  assert.match(await refusal(pgloom) ?? '', /no pool_hba\.conf entry/);
  writeFileSync(file, trust);
  pgloom.reload(settings);
  await untilRefused(pgloom, false);
  writeFileSync(file, `${reject}host all +admins all reject\nhost all all all peer\n`);
  pgloom.reload(settings);
  const log = await untilMatch(pgloom.stderr, /pool_hba\.conf:3: method field: method "peer" is not supported by pgloom/);
  assert.match(log, /pool_hba\.conf:2: user field: \+admins is not supported/);
  // It has been read and refused; what came before it still holds.
  for (let i = 0; i < 5; i++) assert.equal(await refusal(pgloom), null);
  writeFileSync(file, reject);
  pgloom.reload(settings);
  await untilRefused(pgloom, true);
});

test('pgpool does not start with a faulty file, and says what is wrong with it', t => {
  const directory = mkdtempSync(path.join(tmpdir(), 'pgloom-hba-start-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = (name: string, text: string): string => {
    writeFileSync(path.join(directory, name), text);
    return path.join(directory, name);
  };
  const rules = file('bad.conf', `${trust}hots all all all trust\n`);
  file('pool_hba.conf', `include ${rules}\n`);
  const conf = file('pgpool.conf', `enable_pool_hba = on\npid_file_name = '${directory}/pid'\nbackend_hostname0 = '127.0.0.1'\n`);
  const { status, stderr } = spawnSync(process.execPath, [command, '-n', '-f', conf, '-F', file('pcp.conf', '')], { encoding: 'utf8', timeout: 20_000, cwd: directory });
  assert.ok(status !== null && status !== 0, `status ${status}`);
  assert.match(stderr, /bad\.conf:2: type field: invalid connection type "hots"/);
  assert.doesNotMatch(stderr, /ready/);
});
