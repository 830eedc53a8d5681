/** TLS as the primary thread itself offers it, to clients that no worker will see. */
import { serverTls, type ServerTls } from '../../shared/tls/server-tls.js';
import type { ServerTlsMaterials } from '../../shared/tls/materials.js';

export class OfferedTls {
  /** Undefined until it is first needed: most servers refuse nobody. */
  private built: ServerTls | null | undefined;

  /** @param materials null when clients are not offered TLS */
  constructor(private materials: ServerTlsMaterials | null) {}

  /** After a reload. Connections keep what they began with. */
  replace(materials: ServerTlsMaterials | null): void {
    this.materials = materials;
    this.built = undefined;
  }

  /** As the workers do between two reloads: whoever has a ticket of theirs comes in cheaply here, too. */
  changeTicketKeys(ticketKeys: Uint8Array): void {
    if (this.materials !== null) this.replace({ ...this.materials, ticketKeys });
  }

  get isOffered(): boolean {
    return this.materials !== null;
  }

  /** Null when TLS is not offered. Never throws. */
  get server(): ServerTls | null {
    if (this.built === undefined) this.built = this.build();
    return this.built;
  }

  private build(): ServerTls | null {
    if (this.materials === null) return null;
    try {
      return serverTls(this.materials);
    } catch {
      // They have been proved at the load, and the workers tell of it if that was wrong. A refusal must not end this thread.
      return null;
    }
  }
}
