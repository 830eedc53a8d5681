import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { giveTo, type Account } from './programs.js';
import { makeScratchDirectory } from './scratch.js';

/** Kinds of private key that can be asked for. */
export const keyKinds = ['rsa', 'ec'] as const;
export type KeyKind = (typeof keyKinds)[number];

/** One certificate and its key in PEM, the same for every target. */
export interface Certificate {
  /** For the report. */
  readonly description: string;
  readonly certificate: string;
  readonly key: string;
}

const kinds: Readonly<Record<KeyKind, { description: string; newKey: readonly string[] }>> = {
  rsa: { description: 'RSA 2048', newKey: ['-newkey', 'rsa:2048'] },
  ec: { description: 'P-256', newKey: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'] },
};

/**
 * Makes a self-signed certificate for 127.0.0.1.
 * @param openssl path of the program
 * @throws Error when openssl fails.
 */
export function makeCertificate(openssl: string, kind: KeyKind): Certificate {
  const directory = makeScratchDirectory('certificate');
  const keyFile = path.join(directory, 'key.pem');
  const certificateFile = path.join(directory, 'certificate.pem');
  const { description, newKey } = kinds[kind];
  execFileSync(openssl, [
    'req', '-x509', ...newKey, '-nodes', '-sha256', '-days', '7', '-subj', '/CN=localhost',
    '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', keyFile, '-out', certificateFile,
  ], { stdio: ['ignore', 'ignore', 'pipe'] });
  return { description, certificate: readFileSync(certificateFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
}

/** Writes a certificate and its key where a server reads them: the key is the account's own and nobody else's. */
export function installCertificate(
  { certificate, key }: Certificate, directory: string, account: Account | null,
): { certificateFile: string; keyFile: string } {
  const certificateFile = path.join(directory, 'server.crt');
  const keyFile = path.join(directory, 'server.key');
  writeFileSync(certificateFile, certificate);
  writeFileSync(keyFile, key, { mode: 0o600 });
  giveTo(account, [certificateFile, keyFile]);
  return { certificateFile, keyFile };
}
