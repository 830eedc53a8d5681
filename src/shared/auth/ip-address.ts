/** IP addresses as bytes, so that networks can be compared. */
import { isIP } from 'node:net';

export interface IpAddress {
  readonly family: 4 | 6;
  /** 4 or 16 bytes. */
  readonly bytes: readonly number[];
}

/** A zone (`fe80::1%eth0`) is left out. null: not an address. */
export function parseIp(text: string): IpAddress | null {
  const zone = text.indexOf('%');
  const address = zone < 0 ? text : text.slice(0, zone);
  const family = isIP(address);
  if (family === 4) return { family: 4, bytes: address.split('.').map(Number) };
  if (family === 6) return { family: 6, bytes: ipv6Bytes(address) };
  return null;
}

/** An IPv4 address in IPv6 clothes (::ffff:127.0.0.1), as sockets that listen on both families show it, undressed. */
export function unmapped(address: IpAddress): IpAddress {
  const isMapped = address.family === 6 && address.bytes.every((byte, i) => i >= 12 || byte === (i < 10 ? 0 : 0xff));
  return isMapped ? { family: 4, bytes: address.bytes.slice(12) } : address;
}

/** The mask of a prefix length: 4 or 16 bytes. */
export function prefixMask(family: 4 | 6, bits: number): number[] {
  return Array.from({ length: family === 4 ? 4 : 16 }, (_, i) => 0xff & (0xff00 >> Math.max(0, Math.min(8, bits - i * 8))));
}

/** Is the address in the network? Never, when the families differ. */
export function inNetwork(address: IpAddress, network: readonly number[], mask: readonly number[]): boolean {
  if (address.bytes.length !== network.length) return false;
  return address.bytes.every((byte, i) => ((byte ^ (network[i] ?? 0)) & (mask[i] ?? 0xff)) === 0);
}

/** Text that isIP has accepted. */
function ipv6Bytes(text: string): number[] {
  let groups = text;
  const lastColon = text.lastIndexOf(':');
  if (text.includes('.')) {
    const [a = 0, b = 0, c = 0, d = 0] = text.slice(lastColon + 1).split('.').map(Number);
    groups = `${text.slice(0, lastColon + 1)}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  }
  const [head = '', tail] = groups.split('::');
  const words = (part: string): number[] => (part === '' ? [] : part.split(':').map(word => Number.parseInt(word, 16)));
  const before = words(head);
  const after = tail === undefined ? [] : words(tail);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return [...before, ...zeros, ...after].flatMap(word => [word >> 8, word & 0xff]);
}
