/**
 * Read buffers of one worker.
 *
 * A read buffer belongs to one link, always: Node keeps reading into the buffer it was given, so a buffer shared by
 * two links would hand one client's bytes to another. An idle link keeps a small buffer, cut from a slab so
 * that thousands of them stay cheap; a link that streams borrows a large one and gives it back when it calms down.
 */
export const smallBytes = 4096;
export const largeBytes = 65_536;
const slabPieces = 16;
const largeKept = 64;

const small: Buffer[] = [];
const large: Buffer[] = [];

export function takeSmall(): Buffer {
  const ready = small.pop();
  if (ready !== undefined) return ready;
  const slab = Buffer.allocUnsafeSlow(smallBytes * slabPieces);
  for (let piece = 1; piece < slabPieces; piece++) small.push(slab.subarray(piece * smallBytes, (piece + 1) * smallBytes));
  return slab.subarray(0, smallBytes);
}

export function takeLarge(): Buffer {
  return large.pop() ?? Buffer.allocUnsafeSlow(largeBytes);
}

/** The caller must be sure that neither a read nor a pending write uses the buffer any more. */
export function giveBack(buffer: Buffer): void {
  if (buffer.length === smallBytes) small.push(buffer);
  else if (buffer.length === largeBytes && large.length < largeKept) large.push(buffer);
}
