/** The field list of the messages E and N (reference/wire.md section 7). */
import type { ServerError } from '../failure.js';

/** Missing fields are empty; a list without its end is taken as far as it goes. */
export function readErrorFields(payload: Buffer): ServerError {
  const fields = new Map<string, string>();
  for (let at = 0; at < payload.length && payload[at] !== 0;) {
    const end = payload.indexOf(0, at);
    const stop = end === -1 ? payload.length : end;
    fields.set(payload.toString('latin1', at, at + 1), payload.toString('utf8', at + 1, stop));
    at = stop + 1;
  }
  return { severity: fields.get('S') ?? 'ERROR', message: fields.get('M') ?? '', detail: fields.get('D') };
}
