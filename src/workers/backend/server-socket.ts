/** The socket of a link, up to the startup packet: where the server is, the connection, TLS. */
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import type { Backend } from '../../shared/settings.js';
import { secureServerSocket, wantsTls, type BackendTls } from '../../shared/tls/backend-tls.js';
import { cancelRequest } from '../../shared/protocol/writer.js';
import type { BackendLink, Handshake } from './backend-link.js';

const defaultDirectory = '/tmp';

function whereIs({ hostname, port }: Backend): NetConnectOpts {
  const directory = hostname === '' ? defaultDirectory : hostname;
  return directory.startsWith('/') ? { path: `${directory}/.s.PGSQL.${port}` } : { host: hostname, port, noDelay: true, keepAlive: true };
}

/**
 * Connects the link. What goes wrong is told to the handshake as `lost`.
 * @param connected the server can be sent a startup packet now
 */
export function connectLink(link: BackendLink, backend: Backend, tls: BackendTls, handshake: Handshake, connected: () => void): void {
  if (!wantsTls(tls, backend.hostname)) {
    const socket = connect({ ...whereIs(backend), onread: link.options });
    socket.once('connect', connected);
    link.begin(socket, handshake);
    return;
  }
  const socket = connect(whereIs(backend));
  link.begin(socket, handshake);
  socket.once('connect', () => {
    secureServerSocket(socket, tls, backend.hostname).then(({ socket: ready, binding }) => {
      if (link.closed) return;
      link.binding = binding;
      link.goOn(ready);
      connected();
    }).catch((error: Error) => handshake.lost(link, error.message));
  });
}

/**
 * Asks the server to cancel what the link runs, over TLS when the link is.
 * @param done the server has dealt with it, or could not be asked within the limit
 */
export function cancelLink(link: BackendLink, backend: Backend, tls: BackendTls, limitMs: number, done: () => void): void {
  const socket = connect(whereIs(backend));
  const timer = setTimeout(() => socket.destroy(), limitMs);
  socket.on('error', () => socket.destroy());
  socket.once('close', () => {
    clearTimeout(timer);
    done();
  });
  socket.once('connect', () => {
    const send = (ready: Socket): void => {
      ready.on('error', () => socket.destroy());
      ready.end(cancelRequest(link.pid, link.key));
      ready.resume();
    };
    if (!link.isEncrypted) return send(socket);
    secureServerSocket(socket, tls, backend.hostname).then(({ socket: ready }) => send(ready), () => socket.destroy());
  });
}
