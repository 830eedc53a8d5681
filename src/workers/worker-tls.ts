/** The TLS contexts of one worker. Made anew at a reload; a connection keeps the one that it began with. */
import { backendTls, type BackendTls } from '../shared/tls/backend-tls.js';
import type { TlsMaterials } from '../shared/tls/materials.js';
import { serverTls, type ServerTls } from '../shared/tls/server-tls.js';

export class WorkerTls {
  /** Null when clients are not offered TLS. */
  readonly server: ServerTls | null;
  readonly backend: BackendTls;

  /** The primary thread has proved that the materials fit together. */
  constructor(materials: TlsMaterials) {
    this.server = materials.server === null ? null : serverTls(materials.server);
    this.backend = backendTls(materials.backend);
  }
}
