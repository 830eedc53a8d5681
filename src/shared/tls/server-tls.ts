/** TLS towards clients: a context for all connections until the next reload, and how one connection is taken over. */
import { constants, X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { createSecureContext, TLSSocket, type SecureContext } from 'node:tls';
import { endPointBinding, type EndPointBinding } from './end-point-binding.js';
import type { ServerTlsMaterials } from './materials.js';

/** The protocol's name in ALPN. */
export const alpnProtocol = 'postgresql';

/** Node turns TLS 1.3 off when a list of ciphers names none of its suites; ssl_ciphers is about TLS 1.2 alone. */
const tls13Suites = 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256';
/** PostgreSQL's default for ssl_min_protocol_version. */
const minVersion = 'TLSv1.2';

export interface ServerTls {
  readonly context: SecureContext;
  readonly asksForCertificate: boolean;
  /** Of our certificate; null when it has none, and with it no SCRAM-SHA-256-PLUS. */
  readonly endPoint: EndPointBinding | null;
}

/** @throws Error of OpenSSL when the materials do not fit together */
export function serverTls(materials: ServerTlsMaterials): ServerTls {
  const { ciphers } = materials;
  const context = createSecureContext({
    key: materials.key,
    cert: materials.cert,
    // An empty list, and not none: Node would take the authorities of the web.
    ca: [...materials.ca],
    ...(materials.crl.length > 0 && { crl: [...materials.crl] }),
    ciphers: /(^|:)TLS_/.test(ciphers) ? ciphers : `${tls13Suites}:${ciphers}`,
    honorCipherOrder: materials.preferServerCiphers,
    ecdhCurve: materials.ecdhCurve,
    dhparam: materials.dhParams ?? 'auto',
    minVersion,
    // As PostgreSQL: a client that renegotiates costs us much and itself little.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION,
    sessionIdContext: 'pgloom',
    ticketKeys: Buffer.from(materials.ticketKeys),
  });
  return { context, asksForCertificate: materials.ca.length > 0, endPoint: endPointBinding(new X509Certificate(materials.cert).raw) };
}

/**
 * Begins the handshake on a client's socket; `secure` is emitted when it is over, also when it was in vain (`destroyed`). A client
 * certificate is asked for and judged, but one that is not valid does not end the handshake: see client-tls.ts.
 * @param hello what has been read of the handshake: of direct TLS, empty where TLS has been asked for
 */
export function acceptTls(socket: Socket, { context, asksForCertificate }: ServerTls, hello: Buffer): TLSSocket {
  const isDirect = hello.length > 0;
  if (isDirect) socket.unshift(hello);
  const encrypted = new TLSSocket(socket, {
    isServer: true,
    secureContext: context,
    requestCert: asksForCertificate,
    rejectUnauthorized: false,
    ALPNProtocols: [alpnProtocol],
  });
  // Without a tls.Server Node tells nobody else of an error after the handshake, and leaves the connection open.
  encrypted.on('_tlsError', (error: Error) => encrypted.destroy(error));
  encrypted.once('secure', () => {
    // An attacker could pass the connection of another protocol's client to us; PostgreSQL's rule for direct TLS.
    if (isDirect && encrypted.alpnProtocol === false) encrypted.destroy(new Error('direct TLS without ALPN'));
  });
  return encrypted;
}
