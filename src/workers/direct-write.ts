/**
 * Writing to a socket's handle without the Writable stream in between.
 *
 * A relayed query costs two writes, and of each some 1.5 µs is the stream's own bookkeeping (measured with
 * `npm run bench -- --workloads prepared`). The handle's writeBuffer does what the stream would have it do: it tries
 * to write at once and, only if the kernel does not take all, queues the rest. Everything else (connect, end, errors,
 * close) stays with net.Socket. libuv keeps one queue for a handle, so both kinds of writes stay in order.
 *
 * The parts used are Node's internals, unchanged from Node 12 to 22, reached through process.binding; where they
 * are missing or look otherwise, `directWriter` is null and the links write through the stream.
 */
import type { Socket } from 'node:net';

interface WriteRequest {
  oncomplete: ((this: WriteRequest, status: number) => void) | null;
  handle: unknown;
  /** Keeps the bytes alive while libuv owns them. */
  buffer: Buffer | null;
}

interface StreamHandle {
  writeBuffer(request: WriteRequest, bytes: Buffer): number;
}

interface StreamBinding {
  WriteWrap: new () => WriteRequest;
  streamBaseState: ArrayLike<number>;
  kLastWriteWasAsync: number;
}

/** What a write came to. */
export const Written = { done: 0, pending: 1, failed: 2 } as const;
export type Written = (typeof Written)[keyof typeof Written];

export interface DirectWriter {
  /** @param drained called when a pending write is over, whichever way */
  write(socket: Socket, bytes: Buffer, drained: () => void): Written;
}

function findBinding(): StreamBinding | null {
  try {
    const { binding } = process as unknown as { binding?: (name: string) => Partial<StreamBinding> };
    const found = binding?.call(process, 'stream_wrap');
    const usable = typeof found?.WriteWrap === 'function' && typeof found.kLastWriteWasAsync === 'number' && typeof found.streamBaseState?.[found.kLastWriteWasAsync] === 'number';
    return usable ? (found as StreamBinding) : null;
  } catch {
    return null;
  }
}

function makeWriter({ WriteWrap, streamBaseState, kLastWriteWasAsync }: StreamBinding): DirectWriter {
  // A request is only used up by a write that did not finish at once: the same one serves all others.
  let spare = new WriteWrap();
  return {
    write(socket, bytes, drained) {
      const handle = (socket as unknown as { _handle: StreamHandle | null })._handle;
      if (handle === null) return Written.failed;
      const request = spare;
      const status = handle.writeBuffer(request, bytes);
      if (status !== 0) return Written.failed;
      if (streamBaseState[kLastWriteWasAsync] === 0) return Written.done;
      spare = new WriteWrap();
      request.handle = handle;
      request.buffer = bytes;
      request.oncomplete = drained;
      return Written.pending;
    },
  };
}

const binding = process.env['PGLOOM_STREAM_WRITES'] === '1' ? null : findBinding();

/** null where this Node has no such internals (or PGLOOM_STREAM_WRITES=1, to compare). */
export const directWriter: DirectWriter | null = binding === null ? null : makeWriter(binding);
