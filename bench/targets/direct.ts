import { loginTo, type Target } from './target.js';

/**
 * The server itself: what a proxy's figures are to be held against.
 * @param hasTlsServer false when the bench has no server of its own for clients over TLS
 */
export function directTarget(version: string, hasTlsServer: boolean): Target {
  return {
    name: 'direct',
    missing: () => null,
    version: () => version,
    mostClients: 500,
    preforked: true,
    takes: ({ encrypted, scram }) => !scram && (!encrypted || hasTlsServer),
    start: (setup) => {
      const primary = setup.certificate === null ? setup.nodes[0] : setup.tlsServer;
      if (primary === undefined || primary === null) throw new Error('no server to go to');
      return Promise.resolve({ login: loginTo(setup, primary.host, primary.port), pid: null, stop: () => Promise.resolve() });
    },
  };
}
