/** What all cells share: the server, the certificates, and pgloom or Pgpool-II in front of it in each set-up. */
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onProcessEnd } from '../../src/main/demo/process-end.js';
import { serverIdentity } from '../../src/main/demo/unprivileged.js';
import { startAuthServer, type AuthServer } from '../support/auth-server.js';
import { makeCertificates, type Certificate, type TestCertificates } from '../support/certificates.js';
import { eventually } from '../support/eventually.js';
import { startPgloom, type Pgloom } from '../support/pgloom.js';
import { startPgpool2, type Pgpool2 } from '../support/pgpool2.js';
import { commonForms, databaseOf, databases, passwordsOf, poolHba, setUps, storedForms, userOf, type SetUp } from './axes.js';
import type { Home } from './psql-logins.js';
import { rawLogin } from './raw-login.js';
import { poolKey, poolPasswd, verifiersOf } from './stored-passwords.js';

/** auth_query asks as this role, and is told of the users `…_query` only. */
const lookUpRole = 'scram_lookup';
const lookUpPassword = 'the password of the look-up';
const lookUpQuery = "select rolname, rolpassword from pg_authid where rolname = $1 and right(rolname, 6) = '_query'";

/** Proxies by set-up. */
export type Proxies<T> = Readonly<Record<SetUp, T>>;

export class Stage {
  passwords = passwordsOf(storedForms, 'first');

  private constructor(
    readonly directory: string, readonly server: AuthServer, private readonly certificates: TestCertificates,
    private readonly clients: ReadonlyMap<string, Certificate>, private readonly forget: () => void,
  ) {}

  static async open(): Promise<Stage> {
    const directory = mkdtempSync(join(tmpdir(), 'pgloom-matrix-'));
    const forget = onProcessEnd(() => rmSync(directory, { recursive: true, force: true }));
    try {
      chmodSync(directory, 0o755);
      const passwords = passwordsOf(storedForms, 'first');
      const certificates = await makeCertificates(directory, 'nobody');
      const serverCertificate = await certificates.authority.issueServer('localhost');
      const account = serverIdentity();
      if (account !== undefined) chownSync(serverCertificate.key, account.uid, account.gid);
      const clients = new Map<string, Certificate>();
      await Promise.all([...passwords.keys()].map(async (user) => clients.set(user, await certificates.authority.issueClient(user))));
      const server = await startAuthServer({
        passwords: new Map([...passwords, [lookUpRole, lookUpPassword]]), databases,
        tls: { certificateFile: serverCertificate.cert, keyFile: serverCertificate.key },
      });
      await server.query(`alter role ${lookUpRole} superuser`);
      return new Stage(directory, server, certificates, clients, forget);
    } catch (error) {
      rmSync(directory, { recursive: true, force: true });
      forget();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.server.stop();
    rmSync(this.directory, { recursive: true, force: true });
    this.forget();
  }

  /** Where psql waits between logins. */
  get home(): Home {
    return { port: this.server.port, user: this.server.superuser, database: 'postgres' };
  }

  /** The user's own. */
  certificateOf(user: string): Certificate {
    const certificate = this.clients.get(user);
    if (certificate === undefined) throw new Error(`${user} has no certificate`);
    return certificate;
  }

  /** Somebody else's, of the same authority. */
  strangersCertificate(): Certificate {
    return this.certificates.client;
  }

  passwordOf(user: string): string {
    const password = this.passwords.get(user);
    if (password === undefined) throw new Error(`${user} has no password`);
    return password;
  }

  /** Runs `use` with Debian's Pgpool-II in all set-ups. */
  async withPgpool2(use: (proxies: Proxies<Pgpool2>) => Promise<void>): Promise<void> {
    const { server: { cert, key }, authority } = this.certificates;
    await withAll((setUp) => startPgpool2({
      nodes: this.server.nodes, poolPasswd: poolPasswd(commonForms, this.passwords), poolKey, tls: { cert, key, authority: authority.cert },
      ...setUp === 'rules' ? { hba: poolHba() } : {},
      // One child, so that the second login finds the link of the first.
      settings: { allow_clear_text_frontend_auth: setUp === 'relay+clear', num_init_children: 1, max_pool: 4 },
    }), use);
  }

  /** Runs `use` with pgloom in all set-ups. */
  async withPgloom(use: (proxies: Proxies<Pgloom>) => Promise<void>): Promise<void> {
    const keyFile = join(this.directory, 'pgpoolkey');
    writeFileSync(keyFile, `${poolKey}\n`, { mode: 0o600 });
    const verifiers = await verifiersOf(this.server, this.passwords);
    const { server: { cert, key }, authority } = this.certificates;
    await withAll((setUp) => startPgloom({
      nodes: this.server.nodes, poolPasswd: poolPasswd(storedForms, this.passwords, verifiers), env: { PGPOOLKEYFILE: keyFile },
      ...setUp === 'rules' ? { hba: poolHba() } : {},
      settings: {
        allow_clear_text_frontend_auth: setUp === 'relay+clear', auth_failure_delay: 0,
        auth_user: lookUpRole, auth_password: lookUpPassword, auth_query: lookUpQuery,
        ssl: true, ssl_cert: cert, ssl_key: key, ssl_ca_cert: authority.cert,
        // One worker, so that the second login meets the links of the first.
        worker_threads: 1, num_init_children: 48, max_pool: 8,
      },
    }), use);
  }

  /** From here on all users have their second passwords. */
  async changeAtServer(): Promise<void> {
    this.passwords = passwordsOf(storedForms, 'second');
    await this.server.setPasswords(this.passwords);
  }

  /** Writes those into pool_passwd and makes these read it again. */
  async changeFiles(proxies: Proxies<Pgloom>): Promise<void> {
    const text = poolPasswd(storedForms, this.passwords, await verifiersOf(this.server, this.passwords));
    for (const proxy of Object.values(proxies)) {
      writeFileSync(join(proxy.directory, 'pool_passwd'), text, { mode: 0o600 });
      proxy.signal('SIGHUP');
    }
    await Promise.all(setUps.map((setUp) => this.untilReloaded(proxies[setUp].port, setUp)));
  }

  /** The log says that a reload has begun, not that all workers have it: so somebody tries to log in. */
  private async untilReloaded(port: number, setUp: SetUp): Promise<void> {
    const user = userOf('scram', 'TEXT');
    const login = { port, user, database: databaseOf(setUp === 'rules' ? 'scram' : setUp), tls: false, password: this.passwordOf(user) };
    await eventually(`the reload of the set-up ${setUp} has come`, async () => (await rawLogin(login)).loggedIn);
  }
}

async function withAll<T extends { stop(): Promise<void> }>(start: (setUp: SetUp) => Promise<T>, use: (proxies: Proxies<T>) => Promise<void>): Promise<void> {
  const started = await Promise.allSettled(setUps.map(async (setUp) => [setUp, await start(setUp)] as const));
  const running = started.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  try {
    const failure = started.find((outcome) => outcome.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
    await use(Object.fromEntries(running) as unknown as Proxies<T>);
  } finally {
    await Promise.all(running.map(([, proxy]) => proxy.stop()));
  }
}
