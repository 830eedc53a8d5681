/**
 * A connection to the first LDAP server that answers, encrypted when the line of pool_hba.conf says so.
 *
 * StartTLS is done here and not by the library, whose parser keeps what came before the handshake: somebody on the way
 * could put half an answer there, and the first byte that the server encrypts would make a "yes" of it.
 */
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { LdapOptions } from '../../shared/auth/ldap-options.js';
import { LdapRefusal } from './ldap-names.js';
import { ldapTrust } from './ldap-trust.js';

/**
 * @param limit of the whole login; the servers share it, so that one that is silent leaves time for the next
 * @throws the error of the last server
 */
export async function connectToLdap(options: LdapOptions, limit: AbortSignal, limitMs: number): Promise<Socket> {
  const deadline = performance.now() + limitMs;
  let last: unknown = new LdapRefusal('no LDAP server');
  for (const [i, server] of options.servers.entries()) {
    const share = (deadline - performance.now()) / (options.servers.length - i);
    if (limit.aborted || share <= 0) break;
    try {
      return await connectTo(server, options, AbortSignal.any([limit, AbortSignal.timeout(Math.ceil(share))]));
    } catch (error) {
      const { message, code } = error as NodeJS.ErrnoException;
      last = new LdapRefusal(`LDAP server ${server.host} port ${server.port}: ${message === '' ? code ?? 'no connection' : message}`);
    }
  }
  throw last;
}

async function connectTo({ host, port }: { host: string; port: number }, options: LdapOptions, limit: AbortSignal): Promise<Socket> {
  const plain = connect({ host, port });
  // Whoever uses the socket has its own listeners; one that failed in between is found closed.
  plain.on('error', () => undefined);
  try {
    await once(plain, 'connect', limit);
    if (options.startTls) await startTls(plain, limit);
    return options.startTls || options.scheme === 'ldaps' ? await encrypted(plain, host, limit) : plain;
  } catch (error) {
    plain.destroy();
    throw error;
  }
}

async function encrypted(plain: Socket, host: string, limit: AbortSignal): Promise<Socket> {
  const { context, mustVerify } = await ldapTrust();
  const name = isIP(host) === 0 ? { servername: host } : {};
  // `host` is what the certificate is compared with.
  const secure = connectTls({ socket: plain, host, ...name, secureContext: context, rejectUnauthorized: mustVerify });
  secure.on('error', () => undefined);
  try {
    await once(secure, 'secureConnect', limit);
    return secure;
  } catch (error) {
    secure.destroy();
    throw error;
  }
}

function once(socket: Socket, event: string, limit: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => done(() => reject(new LdapRefusal('no answer in time')));
    const failed = (error: Error): void => done(() => reject(error));
    const closed = (): void => done(() => reject(new LdapRefusal('the server closed the connection')));
    const reached = (): void => done(resolve);
    const done = (settle: () => void): void => {
      limit.removeEventListener('abort', stop);
      socket.off('error', failed).off('close', closed).off(event, reached);
      settle();
    };
    socket.on('error', failed).on('close', closed).on(event, reached);
    limit.addEventListener('abort', stop);
    if (limit.aborted) stop();
  });
}

/** ExtendedRequest 1.3.6.1.4.1.1466.20037 (RFC 4511, 4.14) with message id 1. */
const request = Buffer.concat([Buffer.from([0x30, 0x1d, 0x02, 0x01, 0x01, 0x77, 0x18, 0x80, 0x16]), Buffer.from('1.3.6.1.4.1.1466.20037')]);
const maxAnswerBytes = 4096;

/** Asks for TLS and reads the answer, which must end where it ends. */
async function startTls(socket: Socket, limit: AbortSignal): Promise<void> {
  let answer = Buffer.alloc(0);
  socket.write(request);
  for (let end = -1; end < 0; end = endOfMessage(answer)) {
    await once(socket, 'readable', limit);
    const chunk = socket.read() as Buffer | null;
    if (chunk !== null) answer = Buffer.concat([answer, chunk]);
    if (answer.length > maxAnswerBytes) throw new LdapRefusal('StartTLS: the answer is no LDAP message');
  }
  if (endOfMessage(answer) !== answer.length) throw new LdapRefusal('StartTLS: there were bytes ahead of the TLS handshake');
  const code = resultCode(answer);
  if (code !== 0) throw new LdapRefusal(code < 0 ? 'StartTLS: the answer cannot be read' : `StartTLS: the server refused it (result code ${code})`);
}

interface Element {
  readonly tag: number;
  readonly content: number;
  readonly end: number;
}

/** One BER element with a definite length; null when not all of its head is there, or it is too long to be true. */
function elementAt(bytes: Buffer, at: number): Element | null {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) return null;
  if (first < 0x80) return { tag, content: at + 2, end: at + 2 + first };
  const count = first & 0x7f;
  if (count === 0 || count > 4 || bytes.length < at + 2 + count) return null;
  return { tag, content: at + 2 + count, end: at + 2 + count + bytes.readUIntBE(at + 2, count) };
}

/** Where the message ends; -1 as long as it is not there. */
function endOfMessage(bytes: Buffer): number {
  const message = elementAt(bytes, 0);
  return message === null || message.end > bytes.length ? -1 : message.end;
}

/** `SEQUENCE { messageID 1, [APPLICATION 24] { resultCode ENUMERATED, … } }`; -1 for anything else. */
function resultCode(bytes: Buffer): number {
  const message = elementAt(bytes, 0);
  const id = message?.tag === 0x30 ? elementAt(bytes, message.content) : null;
  const response = id?.tag === 0x02 && id.end === id.content + 1 && bytes[id.content] === 1 ? elementAt(bytes, id.end) : null;
  const code = response?.tag === 0x78 ? elementAt(bytes, response.content) : null;
  return code?.tag === 0x0a && code.end === code.content + 1 ? bytes[code.content] ?? -1 : -1;
}
