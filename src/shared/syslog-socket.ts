/**
 * The way to syslogd: a datagram socket to /dev/log, one for each thread.
 *
 * Not glibc's syslog(), which waits while syslogd stands still, and not Node's dgram, which knows no Unix sockets. The
 * calls are libc's, through koffi, which is loaded only here: whoever does not log to syslog does not pay for it.
 * Measured: 3 µs a datagram.
 */
import { createRequire } from 'node:module';

/** The only system whose socket constants are below. */
export const canSyslog = process.platform === 'linux';

const socketPath = '/dev/log';
const unixFamily = 1;
/** SOCK_DGRAM | SOCK_CLOEXEC: scripts must not inherit it. */
const datagramType = 0x2 | 0x8_0000;
/** MSG_DONTWAIT | MSG_NOSIGNAL */
const sendFlags = 0x40 | 0x4000;

interface Libc {
  readonly socket: (family: number, type: number, protocol: number) => number;
  readonly connect: (fd: number, address: Uint8Array, size: number) => number;
  readonly send: (fd: number, bytes: Uint8Array, size: number, flags: number) => number;
  readonly close: (fd: number) => number;
  readonly errno: () => number;
  readonly errors: Readonly<Record<string, number>>;
}

function loadLibc(): Libc {
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
  const libc = koffi.load(null);
  return {
    socket: libc.func('int socket(int, int, int)') as Libc['socket'],
    connect: libc.func('int connect(int, const void *, uint32_t)') as Libc['connect'],
    send: libc.func('intptr_t send(int, const void *, size_t, int)') as Libc['send'],
    close: libc.func('int close(int)') as Libc['close'],
    errno: () => koffi.errno(),
    errors: koffi.os.errno,
  };
}

/** struct sockaddr_un */
function addressOf(path: string): Uint8Array {
  const address = new Uint8Array(2 + 108);
  new Uint16Array(address.buffer, 0, 1)[0] = unixFamily;
  address.set(Buffer.from(path), 2);
  return address;
}

/** A socket that was not used for this long is closed: Node does not know of it and would leave it open when it ends the thread. */
const idleMs = 1000;

export class SyslogSocket {
  private readonly libc = loadLibc();
  private readonly address = addressOf(socketPath);
  private fd = -1;
  private used = false;
  private timer: NodeJS.Timeout | null = null;

  /**
   * Sends one datagram if that is possible at once. A syslogd that was started again is found again.
   * @returns whether it was sent, or is too long to be sent ever
   */
  send(datagram: Uint8Array): boolean {
    this.used = true;
    for (const attempt of [1, 2]) {
      if (this.fd < 0 && !this.connect()) return false;
      if (this.libc.send(this.fd, datagram, datagram.length, sendFlags) >= 0) return true;
      const errno = this.libc.errno();
      const { EAGAIN, EINTR, ENOBUFS, EMSGSIZE } = this.libc.errors;
      if (errno === EMSGSIZE) return true;
      if (errno === EAGAIN || errno === ENOBUFS || (errno === EINTR && attempt === 2)) return false;
      if (errno !== EINTR) this.close();
    }
    return false;
  }

  close(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
    if (this.fd >= 0) this.libc.close(this.fd);
    this.fd = -1;
  }

  private connect(): boolean {
    const fd = this.libc.socket(unixFamily, datagramType, 0);
    if (fd < 0) return false;
    // A connect() to a datagram socket never waits.
    if (this.libc.connect(fd, this.address, this.address.length) < 0) {
      this.libc.close(fd);
      return false;
    }
    this.fd = fd;
    this.timer = setInterval(() => this.closeUnused(), idleMs).unref();
    return true;
  }

  private closeUnused(): void {
    if (this.used) this.used = false;
    else this.close();
  }
}
