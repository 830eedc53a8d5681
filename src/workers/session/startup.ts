/**
 * The first packets of a client: SSLRequest and GSSENCRequest, CancelRequest, StartupMessage.
 *
 *   SSLRequest ──S──▶ handshake ──▶ packets inside TLS      (N and packets in clear where there is no TLS)
 *   ClientHello ────▶ handshake with ALPN ──▶ the same      (direct TLS, as in PostgreSQL 17)
 */
import { errors, PgError } from '../../shared/errors.js';
import { EncryptionRequests } from '../../shared/protocol/encryption-requests.js';
import { firstPacket } from '../../shared/protocol/first-packet.js';
import { maxStartupBytes } from '../../shared/protocol/letters.js';
import { negotiateVersion } from '../../shared/protocol/writer.js';
import type { CertificateFault } from '../../shared/tls/client-tls.js';
import type { ClientReader } from './client-link.js';

export interface StartupRequest {
  /** All parameters in the client's order, `user` and `database` filled in, protocol options (`_pq_.…`) left out. */
  readonly parameters: readonly (readonly [string, string])[];
  readonly user: string;
  readonly database: string;
  readonly application: string;
  /** NegotiateProtocolVersion, when the client asked for more than 3.0. */
  readonly negotiation: Buffer | null;
}

export interface StartupOwner {
  /** Clients on this connection are offered TLS. */
  readonly offersTls: boolean;
  /** Bytes for the client. */
  reply(bytes: Buffer): void;
  /**
   * Begins the handshake; the packets that follow are read inside it.
   * @param hello as of `acceptTls`
   */
  startTls(hello: Buffer): void;
  started(request: StartupRequest): void;
  cancelRequested(pid: number, key: Buffer): void;
  /** What came is no startup packet. */
  refused(error: PgError): void;
}

const agreement = Buffer.from('S');
const unencrypted = Buffer.from('N');
const nothing: Buffer = Buffer.alloc(0);

/** NAMEDATALEN - 1 */
const maxNameBytes = 63;
/** Of a certificate's subject in messages; PostgreSQL's number. */
const maxSubjectCharacters = 64;

export class Startup implements ClientReader {
  private readonly requests = new EncryptionRequests();
  /** A valid startup packet is refused for it. */
  private fault: CertificateFault | null = null;

  constructor(private readonly owner: StartupOwner) {}

  /** The handshake is over. @param fault of the certificate that the client has shown */
  encrypted(fault: CertificateFault | null): void {
    this.fault = fault;
  }

  process(data: Buffer, start: number, end: number): number {
    let pos = start;
    while (pos < end) {
      const packet = firstPacket(data.subarray(pos, end));
      switch (packet.kind) {
        case 'incomplete': return pos;
        case 'encryption': {
          pos += packet.sizeBytes;
          const refusal = this.requests.refusal(pos < end);
          if (refusal !== null) return this.refuse(refusal, end);
          if (packet.isForTls && this.owner.offersTls) {
            this.owner.reply(agreement);
            return this.startTls(nothing, end);
          }
          this.owner.reply(unencrypted);
          break;
        }
        case 'cancel':
          this.owner.cancelRequested(packet.childId, packet.secret);
          return end;
        case 'startup':
          this.start(packet.version, packet.body);
          return pos + packet.sizeBytes;
        case 'hello':
        case 'garbage':
          if (packet.kind === 'hello' && this.owner.offersTls && this.requests.isFirst) return this.startTls(Buffer.from(data.subarray(pos, end)), end);
          return this.refuse(errors.badStartupLength(), end);
      }
    }
    return end;
  }

  private startTls(hello: Buffer, end: number): number {
    this.requests.encrypted();
    this.owner.startTls(hello);
    return end;
  }

  private refuse(error: PgError, end: number): number {
    this.owner.refused(error);
    return end;
  }

  private start(version: number, packet: Buffer): void {
    const major = version >> 16;
    const minor = version & 0xffff;
    if (major !== 3) return this.owner.refused(errors.unsupportedProtocol(major, minor));
    if (this.fault !== null) return this.owner.refused(badCertificate(this.fault));
    const pairs = readPairs(packet);
    if (pairs === null) return this.owner.refused(errors.badStartupLayout());
    const options = pairs.filter(([name]) => name.startsWith('_pq_.')).map(([name]) => name);
    const values = new Map(pairs.filter(([name]) => !name.startsWith('_pq_.')));
    // What is no UTF-8 takes more room when it is passed on than it did when it came.
    if (pairs.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value) + 2, 9) > maxStartupBytes) return this.owner.refused(errors.badStartupLength());
    const user = nameOf(values.get('user') ?? '');
    if (user === '') return this.owner.refused(errors.noUser());
    const replication = (values.get('replication') ?? '').toLowerCase();
    if (!['', 'false', 'off', 'no', '0'].includes(replication)) return this.owner.refused(errors.noReplication());
    values.delete('replication');
    const database = nameOf(values.get('database') || user);
    values.set('user', user);
    values.set('database', database);
    this.owner.started({
      parameters: [...values],
      user,
      database,
      application: values.get('application_name') ?? '',
      negotiation: minor > 0 || options.length > 0 ? negotiateVersion(0, options) : null,
    });
  }
}

/** As the server cuts it: a rule for the name that it stands for must hold for longer ones, too. */
function nameOf(name: string): string {
  const bytes = Buffer.from(name);
  if (bytes.length <= maxNameBytes) return name;
  let end = maxNameBytes;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}

/** Told inside TLS and behind the startup packet, where every client reads it. */
function badCertificate({ reason, subject }: CertificateFault): PgError {
  return new PgError('FATAL', '28000', 'client certificate is not valid', { detail: `certificate "${shortened(subject)}": ${reason}` });
}

/** Its beginning: in RFC 2253's order that names the holder. */
function shortened(subject: string): string {
  return subject.length <= maxSubjectCharacters ? subject : `${subject.slice(0, maxSubjectCharacters - 3)}...`;
}

/** Name and value pairs closed by an empty name at the very end; null when the layout is wrong. */
function readPairs(packet: Buffer): [string, string][] | null {
  const pairs: [string, string][] = [];
  let at = 0;
  for (;;) {
    const nameEnd = packet.indexOf(0, at);
    if (nameEnd < 0) return null;
    if (nameEnd === at) return at === packet.length - 1 ? pairs : null;
    const valueEnd = packet.indexOf(0, nameEnd + 1);
    if (valueEnd < 0) return null;
    pairs.push([packet.toString('utf8', at, nameEnd), packet.toString('utf8', nameEnd + 1, valueEnd)]);
    at = valueEnd + 1;
  }
}
