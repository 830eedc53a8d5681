/** A private key: who may read its file, and the passphrase that it may need. */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { closeSync, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { AccessFileError } from '../access/access-file.js';
import { checkPlainFile, PlainFileError, plainFileFlags } from '../plain-file.js';
import { PassphraseError, runPassphraseCommand } from './passphrase-command.js';

const maxKeyBytes = 1024 * 1024;
const groupWriteOrWorld = 0o037;
const groupOrWorld = 0o077;

/** A key as it was read, perhaps still encrypted. */
export interface PrivateKeyFile {
  /**
   * @returns the key in PEM, not encrypted
   * @param giveUp ends the command that is asked for the passphrase
   * @throws AccessFileError
   */
  unlocked(giveUp?: AbortSignal): Promise<string>;
}

/**
 * Reads ssl_key or backend_sslkey.
 * @param passphraseCommand '' for none; it is only run for a key that is encrypted, and not before it is unlocked
 * @throws AccessFileError that begins with `name = 'file'`; it holds nothing of the key
 */
export function readPrivateKey(name: string, file: string, passphraseCommand: string): PrivateKeyFile {
  const fault = (text: string): AccessFileError => new AccessFileError([`${name} = '${file}': ${text}`]);
  const { facts, pem } = openKey(file, fault);
  const mode = (facts.mode & 0o777).toString(8).padStart(4, '0');
  if (isTooOpen(facts)) throw fault(`group or others may read or write it (mode ${mode}): it must be 0600 or less, or 0640 or less if root owns it`);
  const plain = parse(pem, '');
  if (plain !== null) return { unlocked: () => Promise.resolve(exported(plain)) };
  if (!isEncrypted(pem)) throw fault('there is no private key in PEM form in it that OpenSSL can read');
  if (passphraseCommand === '') throw fault('the key is encrypted, and ssl_passphrase_command is not set');
  return { unlocked: (giveUp) => unlock(pem, passphraseCommand, fault, giveUp) };
}

async function unlock(pem: string, passphraseCommand: string, fault: (text: string) => AccessFileError, giveUp: AbortSignal | undefined): Promise<string> {
  try {
    const key = parse(pem, await runPassphraseCommand(passphraseCommand, { giveUp }));
    if (key === null) throw fault('what ssl_passphrase_command printed is not the passphrase of the key');
    return exported(key);
  } catch (error) {
    if (error instanceof PassphraseError) throw fault(`ssl_passphrase_command ${error.message}`);
    throw error;
  }
}

/** OpenSSL takes a key of another kind beside a certificate without a word, and has none for it then. */
export function keyFits(key: string, cert: string): boolean {
  return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
}

/** PostgreSQL's rule: a key that root owns may be read by a group (ssl-cert), any other only by its owner. */
function isTooOpen({ mode, uid }: Stats): boolean {
  return (mode & (uid === 0 ? groupWriteOrWorld : groupOrWorld)) !== 0;
}

/** Looks at the file that is read, not at one that may have been put in its place since. */
function openKey(file: string, fault: (text: string) => AccessFileError): { facts: Stats; pem: string } {
  let fd: number | undefined;
  try {
    fd = openSync(file, plainFileFlags);
    const facts = fstatSync(fd);
    checkPlainFile(facts, maxKeyBytes);
    return { facts, pem: readFileSync(fd, 'latin1') };
  } catch (error) {
    if (error instanceof PlainFileError) throw fault(error.message);
    const { code } = error as NodeJS.ErrnoException;
    throw fault(code === 'ENOENT' ? 'there is no such file' : `cannot be read (${code ?? 'unknown reason'})`);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function isEncrypted(pem: string): boolean {
  return pem.includes('BEGIN ENCRYPTED PRIVATE KEY') || /^Proc-Type: 4,ENCRYPTED/m.test(pem);
}

/** The errors of OpenSSL say nothing that people could use. */
function parse(pem: string, passphrase: string): KeyObject | null {
  try {
    return createPrivateKey({ key: pem, format: 'pem', passphrase });
  } catch {
    return null;
  }
}

function exported(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
