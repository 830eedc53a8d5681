/** Bytes for the client that belong to no answer: they are put between two messages of the one that is under way. */
import type { BackendLink } from '../backend/backend-link.js';
import type { ClientLink } from './client-link.js';

export class Interjections {
  /** What waits for the end of the message that is half-way. */
  private readonly held: Buffer[] = [];

  constructor(private readonly client: ClientLink) {}

  /** Sends them at once, or after the message that `current` is in the middle of. */
  put(bytes: Buffer, current: BackendLink | null): void {
    if (current?.midMessage === true) this.held.push(bytes);
    else this.client.send(bytes);
  }

  /** The same for what a link brought: it stops reading while the client does not take it. */
  pass(link: BackendLink, bytes: Buffer, current: BackendLink | null): void {
    if (current?.midMessage === true) this.held.push(bytes);
    else this.client.forward(bytes, 0, bytes.length, link);
  }

  /** The link has passed something on. */
  passed(link: BackendLink): void {
    if (this.held.length === 0 || link.midMessage) return;
    for (const bytes of this.held.splice(0)) this.client.send(bytes);
  }
}
