/** Many rows to one client, without taking the thread or the memory for all of them at once. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { packet } from './framing.js';
import type { PcpSession } from './session.js';

/** Rows are sent in pieces of this size, and between two of them everybody else has a turn. */
const pieceBytes = 32_768;

/** One packet for each row: the tag, then the row's fields. Rows are taken only when the client has room for them. */
export async function sendAll(session: PcpSession, type: string, tag: string, rows: Iterable<readonly string[]>): Promise<void> {
  let piece: Buffer[] = [];
  let sizeBytes = 0;
  for (const row of rows) {
    const bytes = packet(type, tag, ...row);
    piece.push(bytes);
    sizeBytes += bytes.length;
    if (sizeBytes < pieceBytes) continue;
    await session.send(Buffer.concat(piece));
    await nextTurn();
    piece = [];
    sizeBytes = 0;
  }
  if (sizeBytes > 0) await session.send(Buffer.concat(piece));
}
