/**
 * Certificates for tests, made with the openssl command line: an authority, certificates for servers and clients, and a
 * list of revoked ones. Keys are P-256 unless a test wants another kind, because they are made in a millisecond.
 */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Files in PEM form. */
export interface Certificate {
  readonly cert: string;
  /** Mode 0600. */
  readonly key: string;
}

export interface CertificateOptions {
  /** Arguments of `openssl genpkey`; P-256 by default. */
  readonly keyKind?: readonly string[];
  /** Digest of the signature; that of the authority's key by default (sha256). */
  readonly digest?: string;
  /** Further arguments of the signing `openssl x509`. */
  readonly signing?: readonly string[];
  /** Days from now at which it ends; a negative number makes one that has expired. Default 30. */
  readonly days?: number;
}

const p256 = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'];
/** For tests about RSA. */
export const rsa2048 = ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'];
export const ed25519 = ['-algorithm', 'ED25519'];

export async function openssl(...args: string[]): Promise<string> {
  return (await run('openssl', args)).stdout;
}

async function makeKey(file: string, kind: readonly string[]): Promise<void> {
  await openssl('genpkey', ...kind, '-out', file);
}

/** An authority with its files in a directory of its own. */
export class CertificateAuthority {
  private issued = 0;
  private revocations = '';

  private constructor(private readonly directory: string, private readonly keyFile: string, /** Its own certificate. */ readonly cert: string) {}

  /** @param name its common name, and that of the directory made for it in `parent` */
  static async create(parent: string, name = 'pgloom-test-ca', keyKind: readonly string[] = p256): Promise<CertificateAuthority> {
    const directory = path.join(parent, name);
    await mkdir(directory, { recursive: true, mode: 0o755 });
    const [key, cert] = [path.join(directory, 'ca.key'), path.join(directory, 'ca.crt')];
    await makeKey(key, keyKind);
    await openssl('req', '-x509', '-new', '-key', key, '-subj', `/CN=${name}`, '-days', '30', '-out', cert,
      '-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign,cRLSign');
    return new CertificateAuthority(directory, key, cert);
  }

  /** @param names as in subjectAltName: `DNS:localhost`, `IP:127.0.0.1` */
  issueServer(commonName: string, names: readonly string[] = ['DNS:localhost', 'IP:127.0.0.1', 'IP:::1'], options: CertificateOptions = {}): Promise<Certificate> {
    const extensions = ['extendedKeyUsage=serverAuth', ...(names.length > 0 ? [`subjectAltName=${names.join(',')}`] : [])];
    return this.issue(`/CN=${commonName}`, extensions, options);
  }

  /** @param subject a common name, or the whole subject as openssl's -subj takes it (`/O=x/CN=y`) */
  issueClient(subject: string, options: CertificateOptions = {}): Promise<Certificate> {
    return this.issue(subject.startsWith('/') ? subject : `/CN=${subject}`, ['extendedKeyUsage=clientAuth'], options);
  }

  private async issue(subject: string, extensions: readonly string[], options: CertificateOptions): Promise<Certificate> {
    const serial = ++this.issued;
    const base = path.join(this.directory, String(serial));
    const [key, request, cert, extensionFile] = [`${base}.key`, `${base}.csr`, `${base}.crt`, `${base}.ext`];
    await makeKey(key, options.keyKind ?? p256);
    await openssl('req', '-new', '-key', key, '-subj', subject, '-utf8', '-out', request);
    await writeFile(extensionFile, `${['basicConstraints=CA:FALSE', ...extensions].join('\n')}\n`);
    await openssl('x509', '-req', '-in', request, '-CA', this.cert, '-CAkey', this.keyFile, '-set_serial', String(serial), '-days', String(options.days ?? 30),
      '-extfile', extensionFile, ...(options.digest === undefined ? [] : [`-${options.digest}`]), ...(options.signing ?? []), '-out', cert);
    return { cert, key };
  }

  /** Writes the list of all that have been revoked up to now, these included. @returns the list's file */
  async revoke(...certificates: readonly Certificate[]): Promise<string> {
    return this.writeList('ca.crl', '-crldays', '30', certificates);
  }

  /** A list that expires in so many seconds. @returns its file */
  async revokeFor(seconds: number, ...certificates: readonly Certificate[]): Promise<string> {
    return this.writeList('short.crl', '-crlsec', String(seconds), certificates);
  }

  private async writeList(name: string, unit: '-crldays' | '-crlsec', lasts: string, certificates: readonly Certificate[]): Promise<string> {
    for (const { cert } of certificates) {
      const serial = (await openssl('x509', '-in', cert, '-noout', '-serial')).trim().replace('serial=', '');
      this.revocations += `R\t491231235959Z\t240101000000Z\t${serial}\tunknown\t/CN=revoked\n`;
    }
    const [index, settings, crl] = ['index.txt', 'ca.cnf', name].map((file) => path.join(this.directory, file)) as [string, string, string];
    await writeFile(index, this.revocations);
    await writeFile(settings, `[ca]\ndefault_ca = it\n[it]\ndatabase = ${index}\ndefault_md = sha256\n`);
    await openssl('ca', '-config', settings, '-gencrl', unit, lasts, '-keyfile', this.keyFile, '-cert', this.cert, '-out', crl);
    return crl;
  }
}

/** A copy of the key that a passphrase protects. @returns its file */
export async function encryptKey(key: string, passphrase: string): Promise<string> {
  const file = `${key}.encrypted`;
  await openssl('pkcs8', '-topk8', '-in', key, '-out', file, '-v2', 'aes-256-cbc', '-passout', `pass:${passphrase}`);
  return file;
}

export interface TestCertificates {
  readonly authority: CertificateAuthority;
  /** For localhost, 127.0.0.1 and ::1. */
  readonly server: Certificate;
  /** CN=<clientName>. */
  readonly client: Certificate;
  /** CN=<clientName> too, and in `crl`. */
  readonly revokedClient: Certificate;
  /** CN=<clientName> from an authority that nobody knows. */
  readonly strangerClient: Certificate;
  readonly crl: string;
}

/** The usual set, in `directory`. */
export async function makeCertificates(directory: string, clientName: string): Promise<TestCertificates> {
  const [authority, stranger] = await Promise.all([CertificateAuthority.create(directory), CertificateAuthority.create(directory, 'stranger-ca')]);
  const [server, client, revokedClient, strangerClient] = await Promise.all([
    authority.issueServer('localhost'), authority.issueClient(clientName), authority.issueClient(clientName), stranger.issueClient(clientName),
  ]);
  return { authority, server, client, revokedClient, strangerClient, crl: await authority.revoke(revokedClient) };
}
