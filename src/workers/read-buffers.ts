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
/** Those that wait in the two lists: one that came back twice would be lent to two links. */
const atRest = new WeakSet<Buffer>();

export function takeSmall(): Buffer {
  const ready = lend(small);
  if (ready !== undefined) return ready;
  const slab = Buffer.allocUnsafeSlow(smallBytes * slabPieces);
  for (let piece = 1; piece < slabPieces; piece++) giveBack(slab.subarray(piece * smallBytes, (piece + 1) * smallBytes));
  return slab.subarray(0, smallBytes);
}

export function takeLarge(): Buffer {
  return lend(large) ?? Buffer.allocUnsafeSlow(largeBytes);
}

function lend(list: Buffer[]): Buffer | undefined {
  const buffer = list.pop();
  if (buffer !== undefined) atRest.delete(buffer);
  return buffer;
}

/**
 * The caller must be sure that neither a read nor a pending write uses the buffer any more.
 * @throws Error when the buffer has been given back before
 */
export function giveBack(buffer: Buffer): void {
  if (atRest.has(buffer)) throw new Error('a read buffer is given back twice');
  const list = buffer.length === smallBytes ? small : large;
  if (list === large && (buffer.length !== largeBytes || large.length >= largeKept)) return;
  atRest.add(buffer);
  list.push(buffer);
}
