/** AES passwords in a running pgloom, in front of a server that wants to see passwords. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { aesPassword } from '../../src/shared/auth/aes-password.js';
import { startAuthServer, type AuthServer } from '../support/auth-server.js';
import { eventually, untilMatch } from '../support/eventually.js';
import { startPgloom, withClient, type Pgloom } from '../support/pgloom.js';

const passwords = new Map([['trust_look', 'never asked for 4711'], ['scram_check', 'pässword of checks'], ['scram_user', 'password:of users']]);
const encrypted = (role: string, key: string): string => aesPassword(passwords.get(role) ?? '', Buffer.from(key));

describe('encrypted passwords', () => {
  let server: AuthServer;
  let pgloom: Pgloom;
  const at = (name: string): string => join(pgloom.directory, name);

  before(async () => {
    server = await startAuthServer({ passwords });
    pgloom = await startPgloom({
      nodes: server.nodes, hba: 'host all all all trust\n',
      // The key file is looked for when pgloom runs already, so that the directory is known.
      env: { PGPOOLKEYFILE: 'key' }, poolPasswd: `scram_user:${encrypted('scram_user', 'first')}\n`,
      settings: {
        sr_check_user: 'scram_check', sr_check_password: encrypted('scram_check', 'first'), sr_check_database: 'postgres',
        health_check_user: 'scram_check', health_check_password: encrypted('scram_check', 'second'), health_check_period: 0,
      },
    });
  });
  after(async () => {
    await pgloom?.stop();
    await server?.stop();
  });

  /** The parameters are read again; resolves when the log says so. */
  async function reload(): Promise<void> {
    const count = (): number => pgloom.stderr().split('reload config files.').length;
    const earlier = count();
    pgloom.signal('SIGHUP');
    await eventually('reload', async () => count() > earlier);
  }

  const loggedInAs = (user: string): Promise<string | undefined> =>
    withClient(pgloom, async (client) => (await client.query<{ name: string }>('select current_user as name')).rows[0]?.name, { user, database: 'postgres' });

  /** What the checks of pgloom have found out. */
  const roleOfNode = (): Promise<string | undefined> => withClient(pgloom, async (client) => {
    const { rows } = await client.query<{ pg_role: string }>('show pool_nodes');
    return rows[0]?.pg_role;
  }, { user: 'trust_look', database: 'postgres' });

  it('without a key are named in the log, with the key file, and nobody logs in with them', async () => {
    const log = pgloom.stderr();
    assert.ok(log.includes(`${at('pool_passwd')}: 1 password is encrypted with AES, and there is no key to decrypt: ${at('key')}: there is no such file`), log);
    assert.match(log, /pgpool\.conf: sr_check_password: it is encrypted with AES, and there is no key to decrypt it: .*key: there is no such file/);
    await assert.rejects(loggedInAs('scram_user'));
    assert.notEqual(await roleOfNode(), 'primary', 'sr_check_user cannot log in, so it is not known');
  });

  it('are used when the key file has come and the files were read again', async () => {
    writeFileSync(at('key'), 'first\n', { mode: 0o600 });
    await reload();
    await eventually('a login', async () => await loggedInAs('scram_user').catch(() => '') === 'scram_user');
    await eventually('the primary is found by sr_check_user', async () => await roleOfNode() === 'primary');
    await untilMatch(pgloom.stderr, /pgpool\.conf: health_check_password: it is encrypted with AES, and the key in .*key does not decrypt it/);
  });

  it('that another key has encrypted are told by line and user', async () => {
    writeFileSync(at('pool_passwd'), `# changed\nscram_user:${encrypted('scram_user', 'third')}\n`);
    await reload();
    await eventually('the warning', async () => pgloom.stderr().includes(`${at('pool_passwd')}:2: the password of user "scram_user" is encrypted with AES, and the key in ${at('key')} does not decrypt it`));
    await assert.rejects(loggedInAs('scram_user'));
    for (const secret of passwords.values()) assert.ok(!pgloom.stderr().includes(secret));
  });
});
