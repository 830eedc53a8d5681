/**
 * log_hostname: the names of clients' addresses, from /etc/hosts or DNS. They are only for the log: nobody waits for
 * them, and what is no host name is not believed, for it comes from whoever runs the client's network.
 */
import { Resolver } from 'node:dns/promises';
import { hostsEntries } from './hosts-file.js';

/** A name server that does not answer by then has none. */
const limitMs = 1000;
/** So long a name, or that there is none, is remembered. */
const keptMs = 300_000;
const maxKept = 1000;
const maxAsked = 64;
const hostName = /^[\w-]{1,63}(\.[\w-]{1,63}){0,30}\.?$/;

interface Known {
  readonly name: Promise<string>;
  readonly untilMs: number;
}

/** One for each worker. */
export class HostNames {
  // Not the C library's: while a name server stood still, it would take up the threads that look for the servers' addresses.
  private readonly resolver = new Resolver({ timeout: limitMs, tries: 1 });
  private readonly known = new Map<string, Known>();
  private asked = 0;

  /** The name of an IP address, or the address when it has none, or too many others are being asked for. Never rejects. */
  nameOf(address: string, nowMs: number): Promise<string> {
    const known = this.known.get(address);
    if (known !== undefined && nowMs < known.untilMs) return known.name;
    if (this.asked >= maxAsked) return Promise.resolve(address);
    if (this.known.size >= maxKept) this.known.clear();
    const name = this.ask(address);
    this.known.set(address, { name, untilMs: nowMs + keptMs });
    return name;
  }

  private async ask(address: string): Promise<string> {
    this.asked++;
    try {
      const local = (await hostsEntries()).find((entry) => entry.address === address);
      if (local !== undefined) return local.names[0];
      const [name] = await this.resolver.reverse(address);
      return name !== undefined && hostName.test(name) ? name : address;
    } catch {
      return address;
    } finally {
      this.asked--;
    }
  }
}
