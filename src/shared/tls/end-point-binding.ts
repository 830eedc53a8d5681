/**
 * What SCRAM-SHA-256-PLUS ties a login to: the hash of the TLS server's certificate (RFC 5929, tls-server-end-point).
 *
 * The hash is the one that the certificate is signed with; MD5 and SHA-1 count as SHA-256. Ed25519 and Ed448 have
 * none: there is no binding then, as in PostgreSQL and libpq.
 */
import { createHash } from 'node:crypto';
import { Der, derElements, derMembers, oidText } from './der.js';

export interface EndPointBinding {
  readonly data: Buffer;
}

const rsassaPss = '1.2.840.113549.1.1.10';

const digestOfSignature: Readonly<Record<string, string>> = {
  // RSA: md2, md5, sha1, sha256, sha384, sha512, sha224, sha512-224, sha512-256, sha3
  '1.2.840.113549.1.1.2': 'sha256',
  '1.2.840.113549.1.1.4': 'sha256',
  '1.2.840.113549.1.1.5': 'sha256',
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.113549.1.1.14': 'sha224',
  '1.2.840.113549.1.1.15': 'sha512-224',
  '1.2.840.113549.1.1.16': 'sha512-256',
  '2.16.840.1.101.3.4.3.13': 'sha3-224',
  '2.16.840.1.101.3.4.3.14': 'sha3-256',
  '2.16.840.1.101.3.4.3.15': 'sha3-384',
  '2.16.840.1.101.3.4.3.16': 'sha3-512',
  // ECDSA: sha1, sha224, sha256, sha384, sha512, sha3
  '1.2.840.10045.4.1': 'sha256',
  '1.2.840.10045.4.3.1': 'sha224',
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '2.16.840.1.101.3.4.3.9': 'sha3-224',
  '2.16.840.1.101.3.4.3.10': 'sha3-256',
  '2.16.840.1.101.3.4.3.11': 'sha3-384',
  '2.16.840.1.101.3.4.3.12': 'sha3-512',
  // DSA: sha1, sha224, sha256, sha384, sha512
  '1.2.840.10040.4.3': 'sha256',
  '2.16.840.1.101.3.4.3.1': 'sha224',
  '2.16.840.1.101.3.4.3.2': 'sha256',
  '2.16.840.1.101.3.4.3.3': 'sha384',
  '2.16.840.1.101.3.4.3.4': 'sha512',
};

/** The hash functions that RSA-PSS names in its parameters. */
const digestOfHash: Readonly<Record<string, string>> = {
  '1.3.14.3.2.26': 'sha256',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
  '2.16.840.1.101.3.4.2.4': 'sha224',
  '2.16.840.1.101.3.4.2.5': 'sha512-224',
  '2.16.840.1.101.3.4.2.6': 'sha512-256',
  '2.16.840.1.101.3.4.2.7': 'sha3-224',
  '2.16.840.1.101.3.4.2.8': 'sha3-256',
  '2.16.840.1.101.3.4.2.9': 'sha3-384',
  '2.16.840.1.101.3.4.2.10': 'sha3-512',
};

/** @param certificate in DER. Null when its signature has no hash of its own (or one that is not known). */
export function endPointBinding(certificate: Buffer): EndPointBinding | null {
  const digest = digestOf(certificate);
  return digest === null ? null : { data: createHash(digest).update(certificate).digest() };
}

function digestOf(certificate: Buffer): string | null {
  try {
    const algorithm = derMembers(certificate)[1];
    if (algorithm === undefined) return null;
    const [oid, parameters] = derElements(algorithm.content);
    if (oid?.tag !== Der.oid) return null;
    const name = oidText(oid.content);
    return (name === rsassaPss ? pssDigest(parameters?.content) : digestOfSignature[name]) ?? null;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** RSASSA-PSS-params: [0] is the hash function, SHA-1 when it is left out. */
function pssDigest(parameters: Buffer | undefined): string | undefined {
  const hash = derElements(parameters ?? Buffer.alloc(0)).find(({ tag }) => tag === Der.context0);
  if (hash === undefined) return 'sha256';
  const [oid] = derMembers(hash.content);
  return oid === undefined ? undefined : digestOfHash[oidText(oid.content)];
}
