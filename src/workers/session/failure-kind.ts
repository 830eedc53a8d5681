/** As what an ErrorResponse of a server counts. */
import { CountedKind } from '../../shared/memory/statement-counts.js';

/** @param message the whole ErrorResponse; null when it was too large to be kept */
export function failureKind(message: Buffer | null): CountedKind {
  if (message === null) return CountedKind.error;
  // The V field holds the severity in English (PostgreSQL 9.6 and later); it stands first or second.
  let at = 5;
  while (at < message.length && message[at] !== 0) {
    const end = message.indexOf(0, at);
    if (end < 0) break;
    if (message[at] === 0x56) {
      const severity = message.latin1Slice(at + 1, end);
      return severity === 'FATAL' ? CountedKind.fatal : severity === 'PANIC' ? CountedKind.panic : CountedKind.error;
    }
    at = end + 1;
  }
  return CountedKind.error;
}
