/** The DETAIL of a client's message in the log: names and SQL text. Values of parameters and COPY data are never shown. */
import { F } from '../../shared/protocol/letters.js';
import { withoutPasswords } from '../sql/masked-text.js';
import { PayloadStrings } from './payload-strings.js';

/** So much of a message is kept to be logged. */
export const maxDetailBytes = 8192;

/**
 * As Pgpool-II words it, `undefined` where it has none (or the message is malformed).
 * @param payload the message's beginning
 * @param payloadBytes length of the whole payload
 */
export function messageDetail(letter: number, payload: Buffer, payloadBytes: number): string | undefined {
  const strings = new PayloadStrings(payload.subarray(0, maxDetailBytes), payloadBytes);
  const next = (skipBytes = 0): string => {
    const text = withoutPasswords(strings.next(skipBytes));
    return strings.isCut ? `"${text}" ... (message of ${payloadBytes} bytes)` : `"${text}"`;
  };
  switch (letter) {
    case F.query:
      return `query: ${next()}`;
    case F.parse:
      return `statement: ${next()}, query: ${next()}`;
    case F.bind:
      return `portal: ${next()}, statement: ${next()}`;
    case F.execute:
      return `portal: ${next()}`;
    case F.describe:
    case F.close:
      if (payload[0] === 0x53) return `statement: ${next(1)}`;
      return payload[0] === 0x50 ? `portal: ${next(1)}` : undefined;
    case F.functionCall:
      return payload.length < 4 ? undefined : `oid: "${payload.readUInt32BE(0)}"`;
    default:
      return undefined;
  }
}
