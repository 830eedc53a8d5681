/** Which line of pool_hba.conf decides about a client: the first that matches. */
import { networkInterfaces } from 'node:os';
import type { HbaAddress, HbaName, HbaRule } from './hba.js';
import { inNetwork, parseIp, unmapped, type IpAddress } from './ip-address.js';

export interface HbaClient {
  readonly transport: 'tcp' | 'unix';
  /** The peer's IP address as text; not looked at for a Unix socket. */
  readonly address: string;
  readonly tls: boolean;
  readonly user: string;
  readonly database: string;
  /**
   * The peer's host name. The caller has looked it up backwards and then forwards again and found the peer's address:
   * whoever owns an address can make its reverse entry say anything. Without it rules with host names do not match.
   */
  readonly hostName?: string;
}

/** A network of this host's own. */
export interface OwnAddress {
  readonly address: string;
  readonly netmask: string;
}

/** @returns the rule that decides, or null when none matches: the client is to be turned away */
export function matchHba(rules: readonly HbaRule[], client: HbaClient, ownAddresses: () => readonly OwnAddress[] = interfaces): HbaRule | null {
  const parsed = client.transport === 'tcp' ? parseIp(client.address) : null;
  const address = parsed === null ? null : unmapped(parsed);
  for (const rule of rules) {
    if (!typeMatches(rule, client)) continue;
    if (rule.address !== null && !addressMatches(rule.address, address, client.hostName, ownAddresses)) continue;
    if (namesMatch(rule, client)) return rule;
  }
  return null;
}

/**
 * Does it depend on the client's host name which rule decides? Only then is it worth to ask a name server: a rule with
 * a host name has to fit in all else, and no rule above it may decide already.
 */
export function needsHostName(rules: readonly HbaRule[], client: HbaClient): boolean {
  const decisive = matchHba(rules, client);
  const above = decisive === null ? rules : rules.slice(0, rules.indexOf(decisive));
  return above.some(rule => rule.address?.kind === 'name' && typeMatches(rule, client) && namesMatch(rule, client));
}

function typeMatches(rule: HbaRule, client: HbaClient): boolean {
  switch (rule.type) {
    case 'local': return client.transport === 'unix';
    case 'host': return client.transport === 'tcp';
    case 'hostssl': return client.transport === 'tcp' && client.tls;
    case 'hostnossl': return client.transport === 'tcp' && !client.tls;
  }
}

function addressMatches(wanted: HbaAddress, address: IpAddress | null, hostName: string | undefined, own: () => readonly OwnAddress[]): boolean {
  if (wanted.kind === 'all') return true;
  if (wanted.kind === 'name') return hostName !== undefined && hostNameMatches(wanted.name, hostName);
  if (address === null) return false;
  if (wanted.kind === 'network') return inNetwork(address, wanted.bytes, wanted.mask);
  return own().some(({ address: ownText, netmask }) => {
    const ownAddress = parseIp(ownText);
    const mask = wanted.kind === 'samehost' ? ownAddress?.bytes.map(() => 0xff) : parseIp(netmask)?.bytes;
    return ownAddress !== null && mask !== undefined && inNetwork(address, ownAddress.bytes, mask);
  });
}

/** `.example.org` is every host below example.org, not example.org itself. */
function hostNameMatches(wanted: string, hostName: string): boolean {
  const name = hostName.toLowerCase().replace(/\.$/, '');
  const pattern = wanted.toLowerCase();
  return pattern.startsWith('.') ? name.length > pattern.length && name.endsWith(pattern) : name === pattern;
}

function namesMatch(rule: HbaRule, client: HbaClient): boolean {
  return rule.databases.some(name => databaseMatches(name, client)) && rule.users.some(name => userMatches(name, client));
}

function databaseMatches(name: HbaName, client: HbaClient): boolean {
  if (!name.keyword) return name.name === client.database;
  // replication matches nobody: pgloom takes no replication connections.
  return name.name === 'all' || (name.name === 'sameuser' && client.user === client.database);
}

function userMatches(name: HbaName, client: HbaClient): boolean {
  return name.keyword ? name.name === 'all' : name.name === client.user;
}

function interfaces(): OwnAddress[] {
  return Object.values(networkInterfaces()).flatMap(list => list ?? []);
}
