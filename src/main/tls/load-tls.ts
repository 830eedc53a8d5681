/** Reads what the parameters of TLS name, and proves that it fits together by building the contexts that the workers will build. */
import { resolve } from 'node:path';
import { AccessFileError } from '../access/access-file.js';
import { backendTls } from '../../shared/tls/backend-tls.js';
import type { BackendTlsMaterials, ServerTlsMaterials, TlsMaterials } from '../../shared/tls/materials.js';
import { serverTls } from '../../shared/tls/server-tls.js';
import type { Settings } from '../../shared/settings.js';
import { fault, readCertificateDirectory, readCertificates, readRevocationLists, readSystemAuthorities } from './certificate-files.js';
import { readDhParameters } from './dh-parameters.js';
import { keyFits, readPrivateKey } from './key-file.js';
import { ticketKeyBytes, ticketKeysFor } from './ticket-keys.js';

/** The settings looked at here. */
export type TlsSettings = Pick<Settings, 'ssl' | 'ssl_key' | 'ssl_cert' | 'ssl_ca_cert' | 'ssl_ca_cert_dir' | 'ssl_crl_file' | 'ssl_ciphers'
  | 'ssl_prefer_server_ciphers' | 'ssl_ecdh_curve' | 'ssl_dh_params_file' | 'ssl_passphrase_command'
  | 'backend_sslmode' | 'backend_sslnegotiation' | 'backend_sslrootcert' | 'backend_sslcert' | 'backend_sslkey' | 'backend_sslcrl' | 'configDirectory'>;

export interface LoadedTls {
  readonly tls: TlsMaterials;
  readonly warnings: string[];
}

/** Read, and perhaps with a key that is still encrypted: what there is to do when the passphrase is known. */
type Unlock<T> = (giveUp?: AbortSignal) => Promise<T>;

/**
 * Reads all files before it returns for the first time, so that they are of one moment, and only then waits for
 * ssl_passphrase_command.
 * @param giveUp ends that command
 * @throws AccessFileError naming parameter and file; at a reload the old materials then stay
 */
export async function loadTls(settings: TlsSettings, giveUp?: AbortSignal): Promise<LoadedTls> {
  const warnings: string[] = [];
  const unlockServer = settings.ssl ? readServer(settings, warnings) : null;
  const unlockBackend = readBackend(settings);
  const { backend_sslmode: mode, backend_sslrootcert: rootcert } = settings;
  if (rootcert !== '' && (mode === 'prefer' || mode === 'disable')) {
    warnings.push(`backend_sslrootcert is set, but backend_sslmode = '${mode}' verifies no server: verify-ca and verify-full do`);
  }
  const server = unlockServer === null ? null : await unlockServer(giveUp);
  const backend = await unlockBackend(giveUp);
  // At the very end: the keys may have been changed while the command ran.
  return { tls: { server: server === null ? null : { ...server, ticketKeys: ticketKeysFor(server) }, backend }, warnings };
}

/** Null, with a warning, when there is no certificate to show: Pgpool-II then answers N to every client too. */
function readServer(settings: TlsSettings, warnings: string[]): Unlock<Omit<ServerTlsMaterials, 'ticketKeys'>> | null {
  const { ssl_key: keyFile, ssl_cert: certFile } = settings;
  const missing = (['ssl_cert', 'ssl_key'] as const).filter((name) => settings[name] === '');
  if (missing.length > 0) {
    warnings.push(`ssl is on, but ${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} not set: clients are not offered TLS`);
    return null;
  }
  const cert = readCertificates('ssl_cert', certFile).join('');
  const key = readPrivateKey('ssl_key', keyFile, settings.ssl_passphrase_command);
  const read = {
    cert,
    ca: readAuthorities(settings),
    crl: settings.ssl_crl_file === '' ? [] : readRevocationLists('ssl_crl_file', settings.ssl_crl_file),
    ciphers: settings.ssl_ciphers,
    preferServerCiphers: settings.ssl_prefer_server_ciphers,
    ecdhCurve: settings.ssl_ecdh_curve,
    dhParams: settings.ssl_dh_params_file === '' ? null : readDhParameters('ssl_dh_params_file', settings.ssl_dh_params_file),
  };
  return async (giveUp) => {
    const materials = { ...read, key: await key.unlocked(giveUp) };
    proveServer({ ...materials, ticketKeys: new Uint8Array(ticketKeyBytes) }, settings);
    return materials;
  };
}

function readAuthorities({ ssl_ca_cert: file, ssl_ca_cert_dir: directory }: TlsSettings): string[] {
  return [
    ...(file === '' ? [] : readCertificates('ssl_ca_cert', file)),
    ...(directory === '' ? [] : readCertificateDirectory('ssl_ca_cert_dir', directory)),
  ];
}

/** The parts one after the other, so that the message can say which one is at fault. */
function proveServer(materials: ServerTlsMaterials, settings: TlsSettings): void {
  const plain: ServerTlsMaterials = { ...materials, ca: [], crl: [], ciphers: 'HIGH', ecdhCurve: 'auto', dhParams: null };
  if (!keyFits(materials.key, materials.cert)) throw new AccessFileError([`ssl_key = '${settings.ssl_key}' and ssl_cert = '${settings.ssl_cert}' do not fit together`]);
  prove(() => serverTls(plain), `ssl_key = '${settings.ssl_key}' and ssl_cert = '${settings.ssl_cert}' do not fit together`);
  prove(() => serverTls({ ...plain, ciphers: materials.ciphers }), `ssl_ciphers = '${materials.ciphers}': OpenSSL finds no cipher in it`);
  prove(() => serverTls({ ...plain, ecdhCurve: materials.ecdhCurve }), `ssl_ecdh_curve = '${materials.ecdhCurve}': OpenSSL does not know it`);
  prove(() => serverTls({ ...plain, dhParams: materials.dhParams }), `ssl_dh_params_file = '${settings.ssl_dh_params_file}': there are no Diffie-Hellman parameters in it`);
  prove(() => serverTls({ ...plain, ca: materials.ca }), `ssl_ca_cert = '${settings.ssl_ca_cert}', ssl_ca_cert_dir = '${settings.ssl_ca_cert_dir}': OpenSSL does not take the authorities`);
  prove(() => serverTls({ ...plain, crl: materials.crl }), `ssl_crl_file = '${settings.ssl_crl_file}': OpenSSL does not take the revocation list`);
  prove(() => serverTls(materials), 'the parameters of TLS for clients (ssl_ciphers, ssl_dh_params_file, ssl_ecdh_curve, the certificates) do not fit together');
}

function readBackend(settings: TlsSettings): Unlock<BackendTlsMaterials> {
  const { use, verify } = backendMode(settings);
  const none: BackendTlsMaterials = { use, verify, direct: settings.backend_sslnegotiation === 'direct', ca: [], crl: [], cert: '', key: '' };
  if (use === 'disable') return () => Promise.resolve(none);
  const { backend_sslcert: certFile, backend_sslkey: keyFile } = settings;
  const read: BackendTlsMaterials = {
    ...none,
    ca: verify === 'none' ? [] : backendAuthorities(settings),
    crl: verify === 'none' ? [] : backendRevocations(settings),
    cert: certFile === '' ? '' : readCertificates('backend_sslcert', certFile).join(''),
  };
  const key = certFile === '' ? null : readPrivateKey('backend_sslkey', keyFile, settings.ssl_passphrase_command);
  return async (giveUp) => {
    const materials = { ...read, key: key === null ? '' : await key.unlocked(giveUp) };
    proveBackend(materials, settings);
    return materials;
  };
}

function proveBackend(materials: BackendTlsMaterials, settings: TlsSettings): void {
  const { backend_sslcert: certFile, backend_sslkey: keyFile } = settings;
  if (certFile !== '' && !keyFits(materials.key, materials.cert)) throw new AccessFileError([`backend_sslkey = '${keyFile}' and backend_sslcert = '${certFile}' do not fit together`]);
  prove(() => backendTls({ ...materials, ca: [], crl: [] }), `backend_sslkey = '${keyFile}' and backend_sslcert = '${certFile}' do not fit together`);
  prove(() => backendTls({ ...materials, crl: [] }), `backend_sslrootcert = '${settings.backend_sslrootcert}': OpenSSL does not take the authorities`);
  prove(() => backendTls(materials), `backend_sslcrl = '${settings.backend_sslcrl}': OpenSSL does not take the revocation list`);
}

/**
 * `auto` is what Pgpool-II does: TLS where the server has it when ssl is on, and verified when there are authorities. `auto`
 * and `require` with authorities named for them mean verify-ca, the latter as in libpq.
 */
function backendMode({ backend_sslmode: mode, ssl, ssl_ca_cert, ssl_ca_cert_dir, backend_sslrootcert }: TlsSettings): Pick<BackendTlsMaterials, 'use' | 'verify'> {
  switch (mode) {
    case 'auto':
      if (backend_sslrootcert !== '') return { use: 'require', verify: 'ca' };
      return { use: ssl ? 'prefer' : 'disable', verify: ssl_ca_cert === '' && ssl_ca_cert_dir === '' ? 'none' : 'ca' };
    case 'require': return { use: 'require', verify: backend_sslrootcert === '' ? 'none' : 'ca' };
    case 'verify-ca': return { use: 'require', verify: 'ca' };
    case 'verify-full': return { use: 'require', verify: 'full' };
    default: return { use: mode, verify: 'none' };
  }
}

function backendAuthorities(settings: TlsSettings): string[] {
  const { backend_sslrootcert: name, configDirectory } = settings;
  if (name === 'system') return readSystemAuthorities('backend_sslrootcert');
  const found = name === '' ? readAuthorities(settings) : readCertificates('backend_sslrootcert', resolve(configDirectory, name));
  if (found.length === 0) throw fault('backend_sslmode', settings.backend_sslmode, 'neither backend_sslrootcert nor ssl_ca_cert names the authorities to verify servers with');
  return found;
}

/** The list for clients holds for servers too where they have the same authorities; Pgpool-II (`auto`) does not look at it. */
function backendRevocations({ backend_sslmode, backend_sslrootcert, backend_sslcrl, ssl_crl_file }: TlsSettings): string[] {
  if (backend_sslcrl !== '') return readRevocationLists('backend_sslcrl', backend_sslcrl);
  const holds = ssl_crl_file !== '' && backend_sslrootcert === '' && backend_sslmode !== 'auto';
  return holds ? readRevocationLists('ssl_crl_file', ssl_crl_file) : [];
}

/** What OpenSSL says of a fault speaks of its own functions: the sentence here says what to look at, the reason comes behind it. */
function prove(build: () => unknown, sentence: string): void {
  try {
    build();
  } catch (error) {
    const { reason } = error as Error & { reason?: string };
    throw new AccessFileError([reason === undefined ? sentence : `${sentence} (${reason})`]);
  }
}
