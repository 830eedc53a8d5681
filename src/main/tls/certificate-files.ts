/** Files of certificates and revocation lists in PEM form. */
import { X509Certificate } from 'node:crypto';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { AccessFileError } from '../access/access-file.js';
import { PlainFileError, readPlainFile } from '../plain-file.js';

const certificateBlock = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[\s\S]+?-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;
const listBlock = /-----BEGIN X509 CRL-----[\s\S]+?-----END X509 CRL-----/g;
/** Where systems keep the authorities that they trust. */
const systemBundles = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/ca-bundle.pem', '/etc/ssl/cert.pem'];

/**
 * The certificates of a file, in order, each as PEM.
 * @param name the parameter that names the file
 * @throws AccessFileError
 */
export function readCertificates(name: string, file: string): string[] {
  const blocks = readText(name, file).match(certificateBlock) ?? [];
  if (blocks.length === 0) throw fault(name, file, 'there is no certificate in PEM form in it');
  return blocks.map((block, i) => {
    try {
      return new X509Certificate(block).toString();
    } catch {
      throw fault(name, file, `OpenSSL cannot read ${blocks.length === 1 ? 'the certificate' : `certificate ${i + 1}`} in it`);
    }
  });
}

/** All certificates of a directory; files that hold none are passed over (lists, notes). @throws AccessFileError */
export function readCertificateDirectory(name: string, directory: string): string[] {
  let files: string[];
  try {
    files = readdirSync(directory).toSorted();
  } catch (error) {
    throw fault(name, directory, `the directory cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'})`);
  }
  // The links that c_rehash makes stand beside the files they point to.
  const found = files.map((file) => path.join(directory, file)).flatMap((file) => {
    try {
      return readCertificates(name, file);
    } catch (error) {
      if (error instanceof AccessFileError) return [];
      throw error;
    }
  });
  if (found.length === 0) throw fault(name, directory, 'no file in the directory holds a certificate in PEM form');
  return [...new Set(found)];
}

/** @throws AccessFileError */
export function readRevocationLists(name: string, file: string): string[] {
  const blocks = readText(name, file).match(listBlock) ?? [];
  if (blocks.length === 0) throw fault(name, file, 'there is no revocation list in PEM form in it');
  return blocks;
}

/** @throws AccessFileError */
export function readSystemAuthorities(name: string): string[] {
  const wanted = process.env['SSL_CERT_FILE'];
  for (const file of wanted === undefined ? systemBundles : [wanted]) {
    try {
      return readCertificates(name, file);
    } catch (error) {
      if (!(error instanceof AccessFileError)) throw error;
    }
  }
  throw new AccessFileError([`${name} = 'system': the authorities that this system trusts were not found`]);
}

/** @throws AccessFileError */
export function readText(name: string, file: string): string {
  try {
    return readPlainFile(file).toString('latin1');
  } catch (error) {
    if (error instanceof PlainFileError) throw fault(name, file, error.message);
    const { code } = error as NodeJS.ErrnoException;
    throw fault(name, file, code === 'ENOENT' ? 'there is no such file' : `cannot be read (${code ?? 'unknown reason'})`);
  }
}

export function fault(name: string, file: string, text: string): AccessFileError {
  return new AccessFileError([`${name} = '${file}': ${text}`]);
}
