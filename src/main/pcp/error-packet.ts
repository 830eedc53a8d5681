/**
 * The error packet: fields of PostgreSQL's protocol, each a letter and a string, and one NUL more (reference/wire.md 7).
 *
 * libpcp goes on reading fields at the first character of the value it has just stored. A message or detail that begins
 * with S, M or D would be taken for another field, and an empty one for the end.
 */
import type { AdministrationError } from '../administration.js';
import { packet } from './framing.js';

/** libpcp's buffers hold a field of this size, its letter included. */
const maxFieldBytes = 255;

export function errorPacket({ severity, message, detail }: Pick<AdministrationError, 'severity' | 'message' | 'detail'>): Buffer {
  const fields = [`S${severity}`, 'CXX000', `M${safe(message)}`];
  if (detail !== undefined && detail !== '') fields.push(`D${safe(detail)}`);
  // File and line, which libpcp does not show.
  fields.push('Fpcp', 'L0');
  return packet('E', ...fields.map((field) => cut(field)), '');
}

function safe(text: string): string {
  const clean = text.replaceAll('\0', '') || 'unknown';
  return /^[SMD]/.test(clean) ? clean.charAt(0).toLowerCase() + clean.slice(1) : clean;
}

/** Cuts at a character. */
function cut(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxFieldBytes) return text;
  let end = maxFieldBytes;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}
