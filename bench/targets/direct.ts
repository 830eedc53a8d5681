import type { Target } from './target.js';

/** The server itself: what a proxy's figures are to be held against. */
export function directTarget(version: string): Target {
  return {
    name: 'direct',
    missing: () => null,
    version: () => version,
    mostClients: 500,
    preforked: true,
    start: (setup) => {
      const primary = setup.nodes[0];
      if (primary === undefined) throw new Error('no server to go to');
      const login = { host: primary.host, port: primary.port, user: setup.user, database: setup.database };
      return Promise.resolve({ login, pid: null, stop: () => Promise.resolve() });
    },
  };
}
