/** How long a client's messages may be. */
import { F, largeMessageBytes, smallMessageBytes } from '../../shared/protocol/letters.js';

/** Largest message length (as sent) by letter, as PostgreSQL's SocketBackend has them; 0 = no such message. */
export const messageLimits = new Int32Array(256);
for (const letter of [F.query, F.parse, F.bind, F.functionCall, F.copyData]) messageLimits[letter] = largeMessageBytes;
for (const letter of [F.close, F.describe, F.execute, F.flush, F.sync, F.terminate, F.copyDone, F.copyFail]) messageLimits[letter] = smallMessageBytes;
