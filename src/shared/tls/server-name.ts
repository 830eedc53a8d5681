/**
 * verify-full: is this the certificate of the server that was to be reached? By libpq's rules (fe-secure-common.c and
 * fe-secure-openssl.c of PostgreSQL 15 and newer), from which Node's own differ: it takes `d*.example.org`, knows no
 * `*.lan`, looks at every common name, and at none for an address.
 */
import { parseIp } from '../auth/ip-address.js';
import { certificateFields, Der, derElements, derMembers, oidText, type DerElement } from './der.js';

const subjectAltNameOid = '2.5.29.17';
const commonNameOid = '2.5.4.3';
/** [3] of a certificate's signed part. */
const extensionsTag = 0xa3;
/** Kinds of GeneralName (RFC 5280, 4.2.1.6). */
const dnsName = 0x82;
const ipAddress = 0x87;
const maxShownLength = 200;

/**
 * The names that count are those in subjectAltName; the (first) common name only where that has none of the host's kind, name or
 * address. `*.` at the beginning of a name stands for one label and nothing else does. Capital letters are small ones.
 * @param certificate in DER, of an authority that is trusted
 * @param hostname as configured: a name or an IP address
 * @returns what is wrong, null when it is the one
 */
export function serverNameProblem(certificate: Buffer, hostname: string): string | null {
  try {
    return problemOf(certificateFields(certificate), hostname);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return 'the names in the server certificate cannot be read';
  }
}

function problemOf(fields: readonly DerElement[], hostname: string): string | null {
  const address = hostname.includes('%') ? null : parseIp(hostname);
  const examined: DerElement[] = [];
  for (const name of alternativeNames(fields)) {
    examined.push(name);
    const problem = name.tag === dnsName ? nulProblem(name) : sizeProblem(name);
    if (problem !== null) return problem;
    if (name.tag === dnsName ? nameMatches(name.content, hostname) : address !== null && name.content.equals(Buffer.from(address.bytes))) return null;
  }
  const kind = address === null ? dnsName : ipAddress;
  const common = examined.some(({ tag }) => tag === kind) ? undefined : commonName(fields);
  if (common !== undefined) {
    examined.push(common);
    const problem = nulProblem(common);
    if (problem !== null || nameMatches(common.content, hostname)) return problem;
  }
  return mismatch(examined, hostname);
}

/** Names of servers and addresses, in their order. @throws RangeError */
function alternativeNames(fields: readonly DerElement[]): DerElement[] {
  const list = fields.find(({ tag }) => tag === extensionsTag);
  const found = (list === undefined ? [] : derMembers(list.content)).map(({ content }) => derElements(content)).filter(([oid]) => oid !== undefined && oidText(oid.content) === subjectAltNameOid);
  if (found.length > 1) throw new RangeError('more than one subjectAltName');
  // Behind the name of the extension there may be whether it is critical; its value comes last.
  const value = found[0]?.at(-1);
  return value === undefined ? [] : derMembers(value.content).filter(({ tag }) => tag === dnsName || tag === ipAddress);
}

/** The first one, as libpq. @throws RangeError */
function commonName(fields: readonly DerElement[]): DerElement | undefined {
  // Each part of the subject is a set of attributes.
  const attributes = derElements(fields[4]?.content ?? Buffer.alloc(0)).flatMap(({ content }) => derElements(content)).map(({ content }) => derElements(content));
  return attributes.find(([oid]) => oid?.tag === Der.oid && oidText(oid.content) === commonNameOid)?.[1];
}

/** CVE-2009-4034: programs written in C take a NUL for the end of the name. */
function nulProblem({ content }: DerElement): string | null {
  return content.includes(0) ? "the server certificate's name contains a NUL" : null;
}

function sizeProblem({ content: { length } }: DerElement): string | null {
  return length === 4 || length === 16 ? null : `the server certificate contains an IP address of ${length} bytes`;
}

function nameMatches(name: Buffer, hostname: string): boolean {
  const [pattern, host] = [name, Buffer.from(hostname)].map((bytes) => smallLetters(bytes)) as [string, string];
  if (pattern === host) return true;
  if (!pattern.startsWith('*.') || pattern.length < 3) return false;
  const dot = host.indexOf('.');
  return dot > 0 && host.slice(dot) === pattern.slice(1);
}

/** One character for each byte, so that nothing but ASCII letters is changed. */
function smallLetters(bytes: Buffer): string {
  return bytes.toString('latin1').replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** libpq's sentence. */
function mismatch(examined: readonly DerElement[], hostname: string): string {
  const [first] = examined;
  if (first === undefined) return 'the server certificate has no name of a host';
  const others = examined.length - 1;
  return `server certificate for "${shown(first)}"${others === 0 ? '' : ` (and ${others} other name${others === 1 ? '' : 's'})`} does not match host name "${hostname}"`;
}

function shown({ tag, content }: DerElement): string {
  if (tag !== ipAddress) return content.toString('latin1', 0, maxShownLength).replaceAll(/[^ -~]/g, '?');
  if (content.length === 4) return content.join('.');
  return (content.toString('hex').match(/.{4}/g) ?? []).join(':');
}
