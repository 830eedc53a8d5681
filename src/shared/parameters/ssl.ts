/** TLS, towards clients and towards the servers. */
import { bool, file, text, words } from './kinds.js';

export const ssl = {
  ssl: bool(false, { change: 'start', actedOn: true, meaning: 'offer TLS to clients, and use it towards servers that offer it' }),
  ssl_key: file('', { change: 'reload', actedOn: true, meaning: 'file with the private key' }),
  ssl_cert: file('', { change: 'reload', actedOn: true, meaning: 'file with the certificate, followed by those between it and the root' }),
  ssl_ca_cert: file('', { change: 'reload', actedOn: true, meaning: 'file with the authorities that client and server certificates need' }),
  ssl_ca_cert_dir: file('', { change: 'reload', actedOn: true, meaning: 'directory with further authorities; every certificate in it counts' }),
  ssl_crl_file: file('', { change: 'reload', actedOn: true, meaning: 'file with revoked certificates' }),
  ssl_ciphers: text('HIGH:MEDIUM:+3DES:!aNULL', { change: 'reload', actedOn: true, meaning: 'ciphers of TLS 1.2, as OpenSSL writes them' }),
  ssl_prefer_server_ciphers: bool(false, { change: 'reload', actedOn: true, meaning: 'the order of ciphers is ours, not the order of the client' }),
  ssl_ecdh_curve: text('X25519:prime256v1', { change: 'reload', actedOn: true, meaning: 'curves of the ECDH key exchange, the preferred one first' }),
  ssl_dh_params_file: file('', { change: 'reload', actedOn: true, meaning: 'file with Diffie-Hellman parameters' }),
  // It may hold the passphrase itself, and every database user can ask for the settings.
  ssl_passphrase_command: {
    ...text('', { change: 'reload', actedOn: true, meaning: 'command that prints the passphrase of the key; %p is the prompt' }), masked: true, secret: true,
  },
  backend_sslmode: words({ auto: 1, disable: 2, prefer: 3, require: 4, 'verify-ca': 5, 'verify-full': 6 }, 'auto', {
    change: 'reload', actedOn: true, meaning: "TLS towards servers, in libpq's words; auto: as Pgpool-II does with ssl",
  }),
  backend_sslnegotiation: words({ postgres: 1, direct: 2 }, 'postgres', {
    change: 'reload', actedOn: true, meaning: 'how TLS begins: asked for, or direct (PostgreSQL 17 and later)',
  }),
  backend_sslrootcert: text('', { change: 'reload', actedOn: true, meaning: "file with the servers' authorities, or system; empty: ssl_ca_cert" }),
  backend_sslcert: file('', { change: 'reload', actedOn: true, meaning: 'file with the certificate that servers are shown' }),
  backend_sslkey: file('', { change: 'reload', actedOn: true, meaning: 'file with its private key' }),
  backend_sslcrl: file('', { change: 'reload', actedOn: true, meaning: 'file with revoked server certificates' }),
};
