/** TLS. */
import { bool, file, text } from './kinds.js';

export const ssl = {
  ssl: bool(false, { change: 'start', meaning: 'offer TLS to clients and ask servers for it' }),
  ssl_key: file('', { change: 'reload', meaning: 'file with the private key' }),
  ssl_cert: file('', { change: 'reload', meaning: 'file with the certificate' }),
  ssl_ca_cert: file('', { change: 'reload', meaning: 'file with the authorities that client and server certificates need' }),
  ssl_ca_cert_dir: file('', { change: 'reload', meaning: 'directory with the authorities for server certificates' }),
  ssl_crl_file: file('', { change: 'reload', meaning: 'file with revoked certificates' }),
  ssl_ciphers: text('HIGH:MEDIUM:+3DES:!aNULL', { change: 'reload', meaning: 'ciphers up to TLS 1.2, as OpenSSL writes them' }),
  ssl_prefer_server_ciphers: bool(false, { change: 'reload', meaning: 'the order of ciphers is ours, not the order of the client' }),
  ssl_ecdh_curve: text('prime256v1', { change: 'reload', meaning: 'curve of the ECDH key exchange' }),
  ssl_dh_params_file: file('', { change: 'reload', meaning: 'file with Diffie-Hellman parameters' }),
  ssl_passphrase_command: text('', { change: 'reload', meaning: 'command that prints the passphrase of the key; %p is the prompt' }),
};
