/** All that TLS needs, as the primary thread has read and checked it: texts and options, to be sent to the workers. Never logged. */

/** Whether a server is asked for TLS, and whether it may refuse. */
export type BackendTlsUse = 'disable' | 'prefer' | 'require';
/** What of a server's certificate is verified: nothing, its authority, or its authority and its name. */
export type BackendTlsVerify = 'none' | 'ca' | 'full';

/** Our side as the server, towards clients. Certificates, keys and lists are PEM. */
export interface ServerTlsMaterials {
  /** Not encrypted any more. */
  readonly key: string;
  /** Ours first, then those of the authorities between it and the root. */
  readonly cert: string;
  /** Authorities of client certificates; when there are none no certificate is asked for. */
  readonly ca: readonly string[];
  readonly crl: readonly string[];
  /** As OpenSSL's cipher list; the suites of TLS 1.3 are always there too. */
  readonly ciphers: string;
  readonly preferServerCiphers: boolean;
  readonly ecdhCurve: string;
  /** Null for OpenSSL's own. */
  readonly dhParams: string | null;
  /** 48 bytes shared by all workers, so that each of them can resume what another began. */
  readonly ticketKeys: Uint8Array;
}

/** Our side as the client, towards the servers. */
export interface BackendTlsMaterials {
  readonly use: BackendTlsUse;
  readonly verify: BackendTlsVerify;
  /** No request for TLS ahead of the handshake: PostgreSQL 17 and later. */
  readonly direct: boolean;
  /** Authorities of the servers' certificates; empty when nothing is verified. */
  readonly ca: readonly string[];
  readonly crl: readonly string[];
  /** Ours, '' for none. */
  readonly cert: string;
  readonly key: string;
}

export interface TlsMaterials {
  /** Null when clients are not offered TLS. */
  readonly server: ServerTlsMaterials | null;
  readonly backend: BackendTlsMaterials;
}

export function withTicketKeys(materials: TlsMaterials, ticketKeys: Uint8Array): TlsMaterials {
  const { server } = materials;
  return server === null ? materials : { ...materials, server: { ...server, ticketKeys } };
}

export const noTls: TlsMaterials = { server: null, backend: { use: 'disable', verify: 'none', direct: false, ca: [], crl: [], cert: '', key: '' } };
