import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { Client, DatabaseError } from 'pg';
import { onProcessEnd } from '../../src/main/demo/process-end.js';
import { launch, type Launched } from '../log/launch.js';
import { makeCertificates } from '../support/certificates.js';
import { sharedCluster } from '../support/cluster.js';
import { eventually, untilMatch } from '../support/eventually.js';
import { noSlapd, startLdapServer, type LdapServer } from './ldap-server.js';

const settings = { enable_pool_hba: true, auth_failure_delay: 0 };
const directory = mkdtempSync(path.join(tmpdir(), 'pgloom-outside-'));
const service = `pgloom-test-${process.pid}-${randomBytes(4).toString('hex')}`;
const noPam = process.getuid?.() !== 0 || !existsSync('/etc/pam.d') ? 'a service of its own in /etc/pam.d needs root' : false;
let ldap: LdapServer | undefined;

const remove = (): void => {
  rmSync(path.join('/etc/pam.d', service), { force: true });
  rmSync(directory, { recursive: true, force: true });
};
const forget = onProcessEnd(remove);
before(async () => {
  if (noSlapd === false) ldap = await startLdapServer((await makeCertificates(directory, 'alice')).server);
  if (noPam !== false) return;
  const check = path.join(directory, 'check');
  writeFileSync(check, '#!/bin/sh\n[ "$(tr -d \'\\000\')" = sesame ] && [ "$PAM_USER" = postgres ]\n', { mode: 0o755 });
  writeFileSync(path.join('/etc/pam.d', service), `auth required pam_exec.so expose_authtok quiet ${check}\naccount required pam_permit.so\n`);
});
after(async () => {
  await ldap?.stop();
  remove();
  forget();
});

/** What the server says after a login, or the code of the refusal. */
async function login({ port }: Launched, password: string): Promise<string> {
  const client = new Client({ host: '127.0.0.1', port, user: 'postgres', database: sharedCluster().database, password });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ user: string }>('select current_user::text as user');
    return rows[0]?.user ?? '';
  } catch (error) {
    assert.ok(error instanceof DatabaseError, String(error));
    return error.code ?? error.message;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function launched(t: TestContext, rule: string): Promise<Launched> {
  const pgloom = await launch(t, settings);
  writeFileSync(path.join(pgloom.directory, 'pool_hba.conf'), rule);
  pgloom.reload(settings);
  // Before the reload no line matches (28000), after it a wrong password is wrong (28P01).
  await eventually('the reload has come', async () => await login(pgloom, 'wrong') === '28P01');
  return pgloom;
}

async function checkPasswords(pgloom: Launched, password: string): Promise<void> {
  assert.equal(await login(pgloom, 'wrong'), '28P01');
  assert.equal(await login(pgloom, password), 'postgres');
  // The link that is pooled now is nobody's who has not the password.
  assert.equal(await login(pgloom, 'wrong'), '28P01');
  assert.deepEqual(await Promise.all([password, 'wrong', password].map(word => login(pgloom, word))), ['postgres', '28P01', 'postgres']);
  for (const secret of [password, 'wrong']) assert.ok(!pgloom.stderr().includes(secret));
}

test('a client whose password the LDAP server confirms reaches its database', { skip: noSlapd }, async t => {
  const rule = `host all all 127.0.0.1/32 ldap ldapserver=127.0.0.1 ldapport=${ldap?.port} ldapbasedn="dc=example,dc=org" ldapsearchfilter="(&(cn=Bob)(!(uid=$username)))"\n`;
  const pgloom = await launched(t, rule);
  await checkPasswords(pgloom, 'builder');
  await untilMatch(pgloom.stderr, /InvalidCredentials/);
});

test('a client whose password PAM confirms reaches its database', { skip: noPam }, async t => {
  const pgloom = await launched(t, `host all all 127.0.0.1/32 pam pamservice=${service}\n`);
  await checkPasswords(pgloom, 'sesame');
  await untilMatch(pgloom.stderr, /pam_authenticate failed/);
});
