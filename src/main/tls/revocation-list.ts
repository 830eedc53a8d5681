/** As much of a revocation list as OpenSSL does not tell (RFC 5280, section 5.1). */
import { Der, derElements, derMembers } from '../../shared/tls/der.js';

const isTime = (tag: number): boolean => tag === Der.utcTime || tag === Der.generalizedTime;

/** When the list expires; null when it does not say, or in no form that we can read. @param pem one list */
export function nextUpdateMs(pem: string): number | null {
  try {
    const [signed] = derMembers(Buffer.from(pem.replaceAll(/-----[^-]+-----/g, ''), 'base64'));
    if (signed === undefined) return null;
    // version, signature, issuer, thisUpdate, nextUpdate, …: the first and the last may be left out.
    const [, next] = derElements(signed.content).slice(0, 5).filter(({ tag }) => isTime(tag));
    if (next === undefined) return null;
    const text = next.content.toString('latin1');
    return timeMs(next.tag === Der.utcTime ? `${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}` : text);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** @param text `20491231235959Z` */
function timeMs(text: string): number | null {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (parts === null) return null;
  const [year, month, day, hour, minute, second] = parts.slice(1).map(Number) as [number, number, number, number, number, number];
  return Date.UTC(year, month - 1, day, hour, minute, second);
}
