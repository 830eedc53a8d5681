/**
 * Reading into a buffer of ours from a socket that was made without `onread`, as every TLS socket over another one is.
 *
 * Node takes the option only when it makes a socket; here its three fields are set afterwards, as its constructor would have
 * done. That saves the stream's bookkeeping and an allocation for each read. They are Node's internals, unchanged
 * since Node 12: where they are missing the caller reads by 'data' events.
 */
import type { OnReadOpts, Socket } from 'node:net';

interface ReadingHandle {
  useUserBuffer?(buffer: Uint8Array): void;
}

const names = ['kBuffer', 'kBufferCb', 'kBufferGen'] as const;

/**
 * @param first the buffer of the first read; `buffer` is asked after each read
 * @returns false when this Node has no such fields (or PGLOOM_STREAM_READS=1, to compare): nothing has been changed then
 */
export function readInto(socket: Socket, first: Uint8Array, { buffer, callback }: OnReadOpts): boolean {
  if (process.env['PGLOOM_STREAM_READS'] === '1' || typeof buffer !== 'function') return false;
  const { _handle: handle } = socket as unknown as { _handle: ReadingHandle | null };
  const symbols = Object.getOwnPropertySymbols(socket);
  const [held, received, next] = names.map((name) => symbols.find((symbol) => symbol.description === name));
  if (held === undefined || received === undefined || next === undefined || typeof handle?.useUserBuffer !== 'function') return false;
  const fields = socket as unknown as Record<symbol, unknown>;
  // Somebody reads it already, or its fields mean something else.
  if (fields[held] !== null || fields[received] !== null || fields[next] !== null || socket.readableLength > 0) return false;
  fields[held] = first;
  fields[received] = callback;
  fields[next] = buffer;
  handle.useUserBuffer(first);
  return true;
}
