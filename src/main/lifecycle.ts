/** What a pgloom tells whoever started it about its life: the `pgpool` command passes it on to systemd and others. */
import type { Settings } from '../shared/settings.js';

export interface Lifecycle {
  /** Clients are accepted from now on. */
  ready(settings: Settings, addresses: readonly string[]): void;
  /** The files are about to be read again. */
  reloading(): void;
  /** They were: these settings are in force, the old ones when a file was faulty. Not told when a stop came in between. */
  reloaded(settings: Settings): void;
  /** No new clients from now on. */
  stopping(): void;
  /** All has ended; the pid file is removed after this. */
  ended(): void;
}
