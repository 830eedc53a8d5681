/** Diffie-Hellman parameters. Node passes over what it cannot read in them, so they are read here first. */
import { derMembers } from '../../shared/tls/der.js';
import { fault, readText } from './certificate-files.js';

const block = /-----BEGIN DH PARAMETERS-----([\s\S]+?)-----END DH PARAMETERS-----/;
const integer = 0x02;
/** Smaller primes are within reach of attackers, and newer OpenSSL refuses them. */
const minBits = 2048;

/** @returns the parameters in PEM @throws AccessFileError */
export function readDhParameters(name: string, file: string): string {
  const [pem, base64 = ''] = block.exec(readText(name, file)) ?? [];
  const bits = primeBits(Buffer.from(base64, 'base64'));
  if (pem === undefined || bits === 0) throw fault(name, file, 'there are no Diffie-Hellman parameters in PEM form in it');
  if (bits < minBits) throw fault(name, file, `the prime has ${bits} bits, and ${minBits} are the least that is safe`);
  return `${pem}\n`;
}

/** DHParameter ::= SEQUENCE { prime INTEGER, base INTEGER, … }; 0 when it is nothing of the kind. */
function primeBits(der: Buffer): number {
  try {
    const [prime, base] = derMembers(der);
    if (prime?.tag !== integer || base?.tag !== integer) return 0;
    const hex = prime.content.toString('hex').replace(/^0+/, '');
    return hex === '' ? 0 : 4 * (hex.length - 1) + Number.parseInt(hex[0] ?? '0', 16).toString(2).length;
  } catch (error) {
    if (error instanceof RangeError) return 0;
    throw error;
  }
}
