/** A server with passwords, files of a pgpool in front of it, and runs of `pgpool check-auth` with them. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CheckAuthReport, ClientReport } from '../../src/main/command/check-auth/report.js';
import { serverIdentity } from '../../src/main/demo/unprivileged.js';
import { md5Hash } from '../../src/shared/auth/md5.js';
import { startAuthServer, type AuthServer } from '../support/auth-server.js';
import { makeCertificates, type TestCertificates } from '../support/certificates.js';
import { ours } from './commands.js';

/** Password of all roles. */
export const right = 'r:ight pass';
/** The same as a line of pool_passwd has it. */
export const text = 'TEXTr\\:ight pass';
/** First line of a key file. */
export const key = 'key of the file';
const roles = ['trust_a', 'password_a', 'md5_a', 'scram_a', 'scram_b', 'scram_looker', 'scram_weak', 'walled'];

export interface SetUp {
  readonly hba?: string;
  readonly poolPasswd?: string;
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
}

export interface Told {
  readonly report: CheckAuthReport;
  /** Of the client by TCP; where pgpool offers TLS, of the one with it. */
  readonly client: ClientReport;
  readonly status: number | null;
  /** Where both were looked at. */
  readonly withoutTls: ClientReport | undefined;
}

type Nodes = readonly { readonly host: string; readonly port: number }[];

export class AuthStage {
  private directories = 0;

  private constructor(
    readonly scratch: string, readonly server: AuthServer, readonly certificates: TestCertificates,
    /** Role → verifier, ready for pool_passwd. */
    readonly verifiers: ReadonlyMap<string, string>,
  ) {}

  static async open(): Promise<AuthStage> {
    const scratch = mkdtempSync(join(tmpdir(), 'pgloom-ca-'));
    try {
      chmodSync(scratch, 0o755);
      const certificates = await makeCertificates(scratch, 'scram_a');
      const serverCertificate = await certificates.authority.issueServer('localhost');
      const account = serverIdentity();
      if (account !== undefined) chownSync(serverCertificate.key, account.uid, account.gid);
      const server = await startAuthServer({
        passwords: new Map(roles.map((role) => [role, right])), databases: ['test'], rules: ['host all walled 127.0.0.1/32 reject'],
        tls: { certificateFile: serverCertificate.cert, keyFile: serverCertificate.key },
      });
      await server.query('alter role scram_looker superuser');
      const rows = await server.query<{ rolname: string; rolpassword: string }>("SELECT rolname, rolpassword FROM pg_authid WHERE rolpassword LIKE 'SCRAM%'");
      return new AuthStage(scratch, server, certificates, new Map(rows.map(({ rolname, rolpassword }) => [rolname, rolpassword.replaceAll(':', '\\:')])));
    } catch (error) {
      rmSync(scratch, { recursive: true, force: true });
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.server.stop();
    rmSync(this.scratch, { recursive: true, force: true });
  }

  /** Writes the files. @returns the name of pgpool.conf */
  writeFiles({ hba, poolPasswd = '', settings = {} }: SetUp, nodes: Nodes = [this.server]): string {
    const directory = mkdtempSync(join(this.scratch, `set${++this.directories}-`));
    const all = {
      listen_addresses: '127.0.0.1', enable_pool_hba: hba !== undefined, pool_passwd: 'pool_passwd', sr_check_user: 'postgres', pid_file_name: join(directory, 'pid'),
      ...Object.fromEntries(nodes.flatMap(({ host, port }, id) => [[`backend_hostname${id}`, host], [`backend_port${id}`, port]])), ...settings,
    };
    const lines = Object.entries(all).map(([name, value]) => `${name} = ${typeof value === 'string' ? `'${value}'` : typeof value === 'boolean' ? (value ? 'on' : 'off') : value}\n`);
    writeFileSync(join(directory, 'pgpool.conf'), lines.join(''));
    if (hba !== undefined) writeFileSync(join(directory, 'pool_hba.conf'), `${hba}\n`);
    writeFileSync(join(directory, 'pool_passwd'), poolPasswd, { mode: 0o600 });
    return join(directory, 'pgpool.conf');
  }

  /** Runs it with a password on its standard input, and looks that neither output has it. */
  async run(args: readonly string[], typed: string | null): Promise<{ stdout: string; status: number | null }> {
    const child = spawn(process.execPath, [ours, 'check-auth', ...args, ...(typed === null ? [] : ['-W'])], { stdio: ['pipe', 'pipe', 'pipe'], timeout: 40_000, killSignal: 'SIGKILL' });
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => { output.stdout += chunk; });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => { output.stderr += chunk; });
    child.stdin.on('error', () => undefined).end(typed === null ? '' : `${typed}\n`);
    const status = await new Promise<number | null>((resolve) => { child.once('close', resolve); });
    const keys = [...this.verifiers.values()].map((verifier) => /\$([^$]{20,44}=)\\:/.exec(verifier)?.[1] ?? verifier);
    for (const secret of [right, 'r\\\\:ight', key, ...keys, md5Hash(right, 'md5_a').slice(3)]) assert.ok(!`${output.stdout}${output.stderr}`.includes(secret), 'no secret is printed');
    assert.equal(output.stderr.replace('Password: \n', ''), '');
    return { stdout: output.stdout, status };
  }

  async check(configFile: string, user: string, typed: string | null, ...more: string[]): Promise<Told> {
    const { stdout, status } = await this.run(['-f', configFile, '-U', user, '-d', 'test', '-h', '127.0.0.1', '--json', ...more], typed);
    const report = JSON.parse(stdout) as CheckAuthReport;
    const [client, withoutTls] = report.clients;
    assert.ok(client, stdout);
    assert.equal(status, report.works ? 0 : 1, stdout);
    return { report, client, status, withoutTls };
  }
}

/** All that is to be done, of all steps. */
export function remedies({ report, client }: Told): string {
  return [...report.findings, ...client.findings].map(({ remedy }) => remedy ?? '').join('\n');
}
