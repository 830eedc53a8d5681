/** The address of a rule of pool_hba.conf: a keyword, a network, or a host name. */
import type { HbaAddress } from '../../shared/auth/hba.js';
import { parseIp, prefixMask, unmapped } from '../../shared/auth/ip-address.js';
import type { HbaToken } from './hba-tokens.js';

/** @throws Error that begins with the field */
export function parseHbaAddress(fields: { single(what: string): HbaToken }): HbaAddress {
  const { text, quoted } = fields.single('address');
  if (!quoted && (text === 'all' || text === 'samehost' || text === 'samenet')) return { kind: text };
  const slash = text.indexOf('/');
  const ip = parseIp(slash < 0 ? text : text.slice(0, slash));
  if (ip === null || text.includes('%')) {
    if (slash >= 0) throw new Error(`address field: "${text}" is no IP address with a prefix length`);
    if (!/^\.?[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$/.test(text) || /^[0-9.]+$/.test(text)) {
      throw new Error(`address field: "${text}" is no IP address and no host name`);
    }
    return { kind: 'name', name: text };
  }
  const mask = slash < 0 ? parseMask(fields.single('mask').text, ip.family) : prefixMask(ip.family, prefixLength(text, slash, ip.family));
  return { kind: 'network', family: ip.family, bytes: ip.bytes, mask };
}

/**
 * All of it in ::ffff:0:0/96. PostgreSQL and Pgpool-II have sockets for IPv4 apart from those for IPv6, and pgloom takes a client's
 * address for what it is, so such a line matches nobody.
 */
export function isMappedNetwork(address: HbaAddress | null): boolean {
  if (address?.kind !== 'network' || address.family === 4) return false;
  return unmapped({ family: 6, bytes: address.bytes }).family === 4 && address.mask.slice(0, 12).every((byte) => byte === 0xff);
}

function prefixLength(text: string, slash: number, family: 4 | 6): number {
  const bits = text.slice(slash + 1);
  if (!/^[0-9]{1,3}$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128)) {
    throw new Error(`address field: invalid CIDR mask in "${text}"`);
  }
  return Number(bits);
}

function parseMask(text: string, family: 4 | 6): readonly number[] {
  const mask = parseIp(text);
  if (mask === null) throw new Error(`mask field: invalid IP mask "${text}" (an address without a prefix length needs one)`);
  if (mask.family !== family) throw new Error('mask field: IP address and mask are of different families');
  return mask.bytes;
}
