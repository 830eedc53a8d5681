/**
 * TLS towards a server: the request for it, the server's answer, the handshake and what is verified.
 *
 *   connected ──SSLRequest──▶ 'S' ──▶ handshake          (backend_sslnegotiation = postgres)
 *                             'N' ──▶ in clear with prefer, else an error
 *             ────────────────────▶ handshake with ALPN  (direct)
 */
import { isIP, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type PeerCertificate, type SecureContext, type TLSSocket } from 'node:tls';
import { int32 } from '../protocol/writer.js';
import { sslRequestCode } from '../protocol/letters.js';
import { endPointBinding, type EndPointBinding } from './end-point-binding.js';
import type { BackendTlsMaterials, BackendTlsUse, BackendTlsVerify } from './materials.js';
import { serverNameProblem } from './server-name.js';
import { alpnProtocol } from './server-tls.js';

export interface BackendTls {
  readonly use: BackendTlsUse;
  readonly verify: BackendTlsVerify;
  readonly direct: boolean;
  /** Null when TLS is not used. */
  readonly context: SecureContext | null;
}

/** The server has spoken, and TLS cannot be had as backend_sslmode wants it. */
export class BackendTlsError extends Error {
  override readonly name = 'BackendTlsError';
}

/** A server's socket, ready for the startup packet. */
export interface ServerSocket {
  readonly socket: Socket;
  /** Of the server's certificate; null without TLS. */
  readonly binding: EndPointBinding | null;
}

const sslRequest = Buffer.concat([int32(8), int32(sslRequestCode)]);
const yes = 0x53; // 'S'
const no = 0x4e; // 'N'
const errorLetter = 0x45; // 'E'
const maxErrorTextBytes = 200;

/** @throws Error of OpenSSL when the materials do not fit together */
export function backendTls(materials: BackendTlsMaterials): BackendTls {
  const { use, verify, direct, ca, crl, cert, key } = materials;
  if (use === 'disable') return { use, verify, direct, context: null };
  const context = createSecureContext({
    // An empty list, and not none: Node would take the authorities of the web.
    ca: [...ca],
    ...(crl.length > 0 && { crl: [...crl] }),
    ...(cert !== '' && { cert, key }),
    minVersion: 'TLSv1.2',
  });
  return { use, verify, direct, context };
}

/** TLS is not for Unix sockets. */
export function wantsTls(tls: BackendTls, hostname: string): boolean {
  return tls.context !== null && hostname !== '' && !hostname.startsWith('/');
}

/**
 * Makes a connection that stands ready for the startup packet, encrypted if `tls` says so. Nothing else may have read from
 * the socket. It is destroyed when that fails; who gives up earlier destroys it himself.
 * @param hostname of the server, for verify-full
 * @throws BackendTlsError, or an error of the socket
 */
export async function secureServerSocket(socket: Socket, tls: BackendTls, hostname: string): Promise<ServerSocket> {
  if (!wantsTls(tls, hostname)) return { socket, binding: null };
  try {
    if (!tls.direct && !await serverAgrees(socket)) {
      if (tls.use === 'prefer') return { socket, binding: null };
      throw new BackendTlsError('the server does not offer TLS, which backend_sslmode requires');
    }
    const encrypted = await handshake(socket, tls, hostname);
    const certificate = encrypted.getPeerX509Certificate();
    return { socket: encrypted, binding: certificate === undefined ? null : endPointBinding(certificate.raw) };
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** Asks, and reads one byte. Bytes behind it were sent in clear by somebody who is not the server (CVE-2021-23222). */
function serverAgrees(socket: Socket): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const end = (error: Error | null, agrees = false): void => {
      socket.removeListener('data', onData).removeListener('error', onError).removeListener('close', onClose);
      if (error === null) resolve(agrees);
      else reject(error);
    };
    const onData = (bytes: Buffer): void => {
      socket.pause();
      const [answer] = bytes;
      if (answer !== yes && answer !== no) end(new BackendTlsError(`the server answers the request for TLS with an error${errorText(bytes)}`));
      else if (bytes.length > 1) end(new BackendTlsError('the server sends unencrypted bytes behind its answer to the request for TLS'));
      else end(null, answer === yes);
    };
    const onError = (error: Error): void => end(error);
    const onClose = (): void => end(new Error('the server closed the connection at the request for TLS'));
    socket.on('data', onData).on('error', onError).on('close', onClose);
    socket.write(sslRequest);
  });
}

/**
 * What an ErrorResponse says, of the protocol in use or of the one before it, in which a server speaks that cannot begin a
 * process. Anybody may have written it: it is cut short, and nothing but ASCII is left in it.
 */
function errorText(bytes: Buffer): string {
  if (bytes[0] !== errorLetter) return '';
  const hasLength = bytes[1] === 0;
  const at = hasLength ? bytes.indexOf('\0M', 5, 'latin1') + 2 : 1;
  if (at < 2 && hasLength) return '';
  const text = bytes.toString('latin1', at, at + maxErrorTextBytes).split('\0', 1)[0] ?? '';
  return text === '' ? '' : `: ${text.trim().replaceAll(/[^ -~]/g, '?')}`;
}

function handshake(socket: Socket, { verify, context, direct }: BackendTls, hostname: string): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const encrypted = connectTls({
      socket,
      ...(context !== null && { secureContext: context }),
      // Server Name Indication is for names only.
      ...(isIP(hostname) === 0 && { servername: hostname }),
      ALPNProtocols: [alpnProtocol],
      rejectUnauthorized: verify !== 'none',
      checkServerIdentity: (_name: string, { raw }: PeerCertificate) => {
        const problem = verify === 'full' ? serverNameProblem(raw, hostname) : null;
        return problem === null ? undefined : new BackendTlsError(problem);
      },
    });
    const onError = (error: Error): void => end(isOfSocket(error) ? error : new BackendTlsError(`TLS: ${openSslReason(error)}`));
    const onClose = (): void => end(new Error('the server closed the connection during the TLS handshake'));
    const end = (error: Error | null): void => {
      encrypted.removeListener('close', onClose);
      // The listener for errors stays: nobody else listens yet.
      if (error === null) {
        resolve(encrypted);
      } else {
        encrypted.destroy();
        reject(error);
      }
    };
    encrypted.on('error', onError).once('close', onClose);
    encrypted.once('secureConnect', () => {
      if (encrypted.alpnProtocol !== alpnProtocol && encrypted.alpnProtocol !== false) end(new BackendTlsError(`the server speaks ${encrypted.alpnProtocol} over TLS`));
      // libpq's rule too: without a request ahead of it nothing else says that this is a PostgreSQL server.
      else if (direct && encrypted.alpnProtocol === false) end(new BackendTlsError('the server does not agree to the protocol (ALPN), which direct TLS requires'));
      else end(null);
    });
  });
}

/** The connection broke; TLS has nothing to do with it. */
function isOfSocket(error: NodeJS.ErrnoException): boolean {
  return !isOfOpenSsl(error) && (error.syscall !== undefined || error.code === 'ECONNRESET');
}

/**
 * OpenSSL has found a fault, or been told of one: whoever is at the other end runs. In TLS 1.3 a server judges our
 * certificate when the handshake is already over for us, so its refusal comes with the first read or write.
 */
export function isOfOpenSsl(error: NodeJS.ErrnoException & { reason?: string }): boolean {
  return error.reason !== undefined || error.code?.startsWith('ERR_SSL_') === true || error.code === 'EPROTO';
}

/** `certificate has expired`, without OpenSSL's codes and places in its source. */
export function openSslReason(error: Error): string {
  const { reason } = error as Error & { reason?: string };
  // Node hands the fault of a write over as OpenSSL's line only: `error:<code>:<library>:<function>:<reason>:<file>…`
  return reason ?? /error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):/.exec(error.message)?.[1] ?? error.message;
}
