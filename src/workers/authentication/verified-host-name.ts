/**
 * The host name of a client for the lines of pool_hba.conf that name hosts: what its address is called, if that name
 * leads back to the address, as PostgreSQL asks for it (src/backend/libpq/hba.c, check_hostname()). Whoever owns an
 * address can give it any name; that a name leads to an address, only the owner of the name can say.
 */
import { Resolver } from 'node:dns/promises';
import { parseIp, unmapped, type IpAddress } from '../../shared/auth/ip-address.js';
import { hostsEntries, type HostsEntry } from '../session/hosts-file.js';

/** For one question; there are two one after the other. */
const limitMs = 1500;
/** A name that was found is believed for so long, and that there is none. */
const keptMs = 60_000;
const keptWithoutMs = 5000;
const maxKept = 1000;
/** Asked at the same time; others have no name then. */
const maxAsked = 256;
const hostName = /^[\w-]{1,63}(\.[\w-]{1,63}){0,30}\.?$/;

export interface HostNameSources {
  /** Name servers: by default those of /etc/resolv.conf. */
  readonly resolver: Resolver;
  readonly hostsFile: string;
}

interface Known {
  readonly name: Promise<string | undefined>;
  untilMs: number;
}

export class VerifiedHostNames {
  private readonly known = new Map<string, Known>();
  private asked = 0;

  constructor(private readonly sources: HostNameSources) {}

  /** @returns the name as it was found; undefined: none, or none that leads back. Never rejects, waits a few seconds at most. */
  nameOf(address: string, nowMs = performance.now()): Promise<string | undefined> {
    const ip = plainIp(address);
    if (ip === null) return Promise.resolve(undefined);
    const key = ip.text;
    const known = this.known.get(key);
    if (known !== undefined && nowMs < known.untilMs) return known.name;
    if (this.asked >= maxAsked) return Promise.resolve(undefined);
    if (this.known.size >= maxKept) this.known.clear();
    const entry: Known = { name: this.ask(ip), untilMs: nowMs + keptMs };
    this.known.set(key, entry);
    void entry.name.then((name) => {
      if (name === undefined) entry.untilMs = nowMs + keptWithoutMs;
    });
    return entry.name;
  }

  private async ask(ip: PlainIp): Promise<string | undefined> {
    this.asked++;
    try {
      const hosts = await hostsEntries(this.sources.hostsFile);
      const local = hosts.find(entry => isSame(entry.address, ip));
      const [name] = local === undefined ? await this.sources.resolver.reverse(ip.text) : local.names;
      if (name === undefined || !hostName.test(name)) return undefined;
      return (await this.addressesOf(name, ip.family, hosts)).some(address => isSame(address, ip)) ? name : undefined;
    } catch {
      return undefined;
    } finally {
      this.asked--;
    }
  }

  /** As the C library looks by default: name servers are not asked about a name that /etc/hosts has. */
  private async addressesOf(name: string, family: 4 | 6, hosts: readonly HostsEntry[]): Promise<string[]> {
    const wanted = name.toLowerCase().replace(/\.$/, '');
    const local = hosts.filter(entry => parseIp(entry.address)?.family === family && entry.names.some(known => known.toLowerCase() === wanted));
    if (local.length > 0) return local.map(entry => entry.address);
    return family === 4 ? this.sources.resolver.resolve4(wanted) : this.sources.resolver.resolve6(wanted);
  }
}

interface PlainIp extends IpAddress {
  /** Without zone, and IPv4 in IPv6 clothes as IPv4. */
  readonly text: string;
}

function plainIp(address: string): PlainIp | null {
  const parsed = parseIp(address);
  if (parsed === null) return null;
  const ip = unmapped(parsed);
  return { ...ip, text: ip.family === 4 ? ip.bytes.join('.') : address.split('%')[0] ?? '' };
}

function isSame(text: string, ip: IpAddress): boolean {
  const other = parseIp(text);
  return other !== null && other.family === ip.family && other.bytes.every((byte, i) => byte === ip.bytes[i]);
}

// One for each worker thread. Not the C library's look-up, see src/workers/session/host-names.ts.
const names = new VerifiedHostNames({ resolver: new Resolver({ timeout: limitMs, tries: 1 }), hostsFile: '/etc/hosts' });

/** @param address of the client. See VerifiedHostNames.nameOf */
export function verifiedHostName(address: string): Promise<string | undefined> {
  return names.nameOf(address);
}
