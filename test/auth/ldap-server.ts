/** A slapd of the test's own: free ports, its data in a scratch directory, not run by root. */
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../src/main/demo/free-port.js';
import { onProcessEnd } from '../../src/main/demo/process-end.js';
import { serverIdentity, spawnIdentity } from '../../src/main/demo/unprivileged.js';
import type { Certificate } from '../support/certificates.js';

export const slapd = '/usr/sbin/slapd';
/** For node:test's `skip`. */
export const noSlapd = existsSync(slapd) ? false : 'slapd (Debian package slapd) is not installed';

export interface LdapServer {
  readonly port: number;
  readonly securePort: number;
  stop(): Promise<void>;
}

const entries = `dn: dc=example,dc=org
objectClass: domain
dc: example

dn: cn=search,dc=example,dc=org
objectClass: person
cn: search
sn: search
userPassword: search-secret

dn: ou=people,dc=example,dc=org
objectClass: organizationalUnit
ou: people

dn: uid=alice,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: alice
cn: Alice
sn: A
mail: alice@example.org
userPassword: wonder

dn: uid=bob,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: bob
cn: Bob
sn: B
userPassword: builder

dn: uid=smith\\, john\\+x,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: smith, john+x
cn: twice
sn: S
userPassword: comma

dn: ou=more,ou=people,dc=example,dc=org
objectClass: organizationalUnit
ou: more

dn: uid=deep,ou=more,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: deep
cn: twice
sn: D
userPassword: down

dn: ou=private,dc=example,dc=org
objectClass: organizationalUnit
ou: private

dn: uid=carol,ou=private,dc=example,dc=org
objectClass: inetOrgPerson
uid: carol
cn: Carol
sn: C
userPassword: hidden
`;

/** Anybody may look into ou=people, cn=search also into ou=private; ldaps and StartTLS with the certificate. @param more entries, in LDIF */
export async function startLdapServer(certificate: Certificate, more = ''): Promise<LdapServer> {
  const directory = mkdtempSync(path.join(tmpdir(), 'pgloom-slapd-'));
  const forget = onProcessEnd(() => rmSync(directory, { recursive: true, force: true }));
  const identity = serverIdentity();
  const [port, securePort] = [await freePort(), await freePort()];
  const file = (name: string): string => path.join(directory, name);
  mkdirSync(file('data'));
  writeFileSync(file('entries.ldif'), `${entries}\n${more}`);
  copyFileSync(certificate.cert, file('server.crt'));
  copyFileSync(certificate.key, file('server.key'));
  writeFileSync(file('slapd.conf'), `${['core', 'cosine', 'inetorgperson'].map(name => `include /etc/ldap/schema/${name}.schema\n`).join('')}
pidfile ${file('pid')}
argsfile ${file('args')}
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile ${file('server.crt')}
TLSCertificateKeyFile ${file('server.key')}
database mdb
maxsize 10485760
suffix "dc=example,dc=org"
directory ${file('data')}
access to attrs=userPassword by anonymous auth by * none
access to dn.subtree="ou=private,dc=example,dc=org" by dn.exact="cn=search,dc=example,dc=org" read by * none
access to * by * read
`);
  chmodSync(directory, 0o755);
  if (identity !== undefined) for (const name of ['', 'data', 'server.key', 'server.crt']) chownSync(file(name), identity.uid, identity.gid);
  const options = { ...spawnIdentity(identity), cwd: directory };
  try {
    execFileSync('/usr/sbin/slapadd', ['-f', file('slapd.conf'), '-l', file('entries.ldif')], { ...options, stdio: 'pipe' });
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
  // With -d it stays in the foreground.
  const child = spawn(slapd, ['-d', '0', '-f', file('slapd.conf'), '-h', `ldap://127.0.0.1:${port}/ ldaps://127.0.0.1:${securePort}/`], { ...options, stdio: 'ignore' });
  const forgetChild = onProcessEnd(() => child.kill('SIGKILL'));
  const exited = new Promise<void>(resolve => { child.once('close', () => resolve()); });
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
    rmSync(directory, { recursive: true, force: true });
    forgetChild();
    forget();
  };
  for (const deadline = Date.now() + 20_000; !await accepts(port); await sleep(20)) {
    if (child.exitCode === null && Date.now() < deadline) continue;
    await stop();
    throw new Error('slapd did not start');
  }
  return { port, securePort, stop };
}

function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => { socket.destroy(); resolve(true); });
    socket.once('error', () => resolve(false));
  });
}
