/** Where the client comes from. */
import type { Settings } from '../../../shared/settings.js';
import type { CheckAuthLine } from './options.js';

export interface Origin {
  readonly transport: 'tcp' | 'unix';
  /** '' for a Unix socket. */
  readonly address: string;
  readonly tls: boolean;
  /** `a Unix socket`, `127.0.0.1 with TLS`. */
  readonly name: string;
}

/**
 * The ways to look at: the one that was asked for, else each on which pgpool listens. Who does not ask for TLS may come with it
 * all the same, if it is to be had: libpq's default, sslmode = prefer, tries that first, and without TLS afterwards.
 */
export function originsOf({ host, tls }: Pick<CheckAuthLine, 'host' | 'tls'>, settings: Pick<Settings, 'listen_addresses' | 'unix_socket_directories'>, offersTls: boolean): readonly Origin[] {
  const unix: Origin = { transport: 'unix', address: '', tls: false, name: 'a Unix socket' };
  const tcp = (address: string): Origin[] => (tls ? [true] : offersTls ? [true, false] : [false])
    .map((by) => ({ transport: 'tcp', address, tls: by, name: `TCP from ${address}${by ? ' with TLS' : ' without TLS'}` }));
  if (host !== undefined) return host === 'local' ? [unix] : tcp(host);
  return [
    ...(settings.unix_socket_directories.length > 0 ? [unix] : []),
    ...(settings.listen_addresses.length > 0 ? tcp('127.0.0.1') : []),
  ];
}
