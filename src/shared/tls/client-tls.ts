/** What a client has shown in its handshake. */
import type { TLSSocket } from 'node:tls';
import { subjectOf, type SubjectName } from './distinguished-name.js';
import type { EndPointBinding } from './end-point-binding.js';

export interface ClientCertificate {
  /** Null when there is none, or more than one. */
  readonly commonName: string | null;
  /** As `clientname=DN` compares it: RFC 2253, the last part first. */
  readonly subject: string;
}

export interface ClientTls {
  /** `TLSv1.3` */
  readonly protocol: string;
  /** OpenSSL's name of the suite. */
  readonly cipher: string;
  /** A valid one; null when the client has shown none. */
  readonly certificate: ClientCertificate | null;
  /** Of our certificate; null when it has none. */
  readonly endPoint: EndPointBinding | null;
}

/** The client has shown a certificate that must not be accepted. The text is OpenSSL's reason, and whose certificate it is. */
export interface CertificateFault {
  readonly reason: string;
  readonly subject: string;
}

/** Node's own, not in its documentation: tls.Server reads `authorizationError` from it. */
interface VerifyingHandle {
  verifyError(): NodeJS.ErrnoException | null;
}

/** To be called when the handshake is over. */
export function clientTls(socket: TLSSocket, endPoint: EndPointBinding | null): { tls: ClientTls; fault: CertificateFault | null } {
  const shown = socket.getPeerX509Certificate();
  const facts = { protocol: socket.getProtocol() ?? '', cipher: socket.getCipher()?.standardName ?? '', endPoint };
  if (shown === undefined) return { tls: { ...facts, certificate: null }, fault: null };
  const { commonName, distinguishedName: subject, hasNul } = readSubject(shown.raw);
  const reason = hasNul ? 'a name in it has a NUL inside' : verificationFault(socket) ?? dateFault(shown.validFrom, shown.validTo);
  return { tls: { ...facts, certificate: reason === null ? { commonName, subject } : null }, fault: reason === null ? null : { reason, subject } };
}

/** OpenSSL takes more forms of a certificate than DER's; those are nobody's. */
function readSubject(certificate: Buffer): SubjectName {
  try {
    return subjectOf(certificate);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { commonName: null, distinguishedName: '', hasNul: false };
  }
}

function verificationFault(socket: TLSSocket): string | null {
  const { _handle: handle } = socket as unknown as { _handle: VerifyingHandle | null };
  if (handle === null) return 'the connection is closed';
  return handle.verifyError()?.message ?? null;
}

/** A resumed session is not verified anew, and the certificate may have expired since. */
function dateFault(from: string, to: string): string | null {
  const nowMs = Date.now();
  return nowMs < Date.parse(from) || nowMs > Date.parse(to) ? 'certificate has expired' : null;
}
