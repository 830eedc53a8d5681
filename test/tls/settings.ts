/** Settings of TLS without a pgpool.conf. */
import { ssl } from '../../src/shared/parameters/ssl.js';
import type { TlsSettings } from '../../src/main/tls/load-tls.js';
import type { TestCertificates } from '../support/certificates.js';

const presets = Object.fromEntries(Object.entries(ssl).map(([name, parameter]) => [name, parameter.default])) as unknown as TlsSettings;

/** Defaults, but for the server's own files and `changed`. */
export function tlsSettingsOf({ server }: TestCertificates, changed: Partial<TlsSettings> = {}): TlsSettings {
  return { ...presets, ssl: true, ssl_key: server.key, ssl_cert: server.cert, configDirectory: '/', ...changed };
}
