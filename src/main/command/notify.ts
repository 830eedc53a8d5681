/**
 * Tells systemd how the service is: sd_notify(3), datagrams of `NAME=value` lines to the socket in $NOTIFY_SOCKET.
 *
 * Node has no Unix datagram sockets, so libc's calls are made through koffi. They never block: a message that the
 * receiver has no room for is sent again a little later.
 */
import koffi, { type LibraryHandle } from 'koffi';
import { endianness } from 'node:os';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
/** Numbers of Linux, the only system with systemd. */
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** sockaddr_un: a 16-bit family in the machine's byte order, then the path. */
const pathOffset = 2;
const maxPathBytes = 108;

const resendMs = 50;
/** Nobody reads at the other end: the oldest message is the least interesting. */
const maxPending = 64;

type SendTo = (fd: number, data: Buffer, sizeBytes: number, flags: number, address: Buffer, addressBytes: number) => number;

/** Null for what is no address of a Unix socket (`vsock:` and the like are for virtual machines). */
export function socketAddress(name: string): Buffer | null {
  const isAbstract = name.startsWith('@');
  if (!isAbstract && !name.startsWith('/')) return null;
  // The NUL in front is what makes a name abstract; a path has one at its end.
  const path = isAbstract ? Buffer.from(`\0${name.slice(1)}`) : Buffer.from(`${name}\0`);
  if (path.length > maxPathBytes) return null;
  const family = Buffer.alloc(pathOffset);
  if (endianness() === 'LE') family.writeUInt16LE(AF_UNIX);
  else family.writeUInt16BE(AF_UNIX);
  return Buffer.concat([family, path]);
}

export class ServiceNotifier {
  private readonly pending: string[] = [];
  private readonly sendTo: SendTo;
  private resend: NodeJS.Timeout | null = null;
  private watchdog: NodeJS.Timeout | null = null;

  private constructor(private readonly fd: number, private readonly address: Buffer, libc: LibraryHandle) {
    this.sendTo = libc.func('int64_t sendto(int fd, const void *data, size_t size, int flags, const void *address, uint32_t addressSize)') as SendTo;
  }

  /**
   * Null when nobody wants to be told. The variables are taken out of the environment: scripts that pgloom starts
   * must not speak for it.
   */
  static fromEnvironment(environment: NodeJS.ProcessEnv = process.env): ServiceNotifier | null {
    const { NOTIFY_SOCKET: name = '', WATCHDOG_USEC: watchdogUs = '', WATCHDOG_PID: watchdogPid = '' } = environment;
    for (const variable of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete environment[variable];
    const address = socketAddress(name);
    if (address === null || process.platform !== 'linux') return null;
    const libc = koffi.load(null);
    const socket = libc.func('int socket(int domain, int type, int protocol)') as (domain: number, type: number, protocol: number) => number;
    const fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return null;
    const notifier = new ServiceNotifier(fd, address, libc);
    if (watchdogPid === '' || Number(watchdogPid) === process.pid) notifier.feedWatchdog(Number(watchdogUs) / 1000);
    return notifier;
  }

  ready(status: string): void {
    this.send(`READY=1\nSTATUS=${oneLine(status)}`);
  }

  /** Type=notify-reload wants the time, so that it can tell this reload's READY from an older one. */
  reloading(): void {
    this.send(`RELOADING=1\nMONOTONIC_USEC=${process.hrtime.bigint() / 1000n}\nSTATUS=reading the files again`);
  }

  stopping(): void {
    this.send('STOPPING=1\nSTATUS=stopping');
  }

  /** Twice as often as asked, as sd_watchdog_enabled(3) advises. Runs on the primary thread: when that hangs, it stops. */
  private feedWatchdog(periodMs: number): void {
    if (!(periodMs >= 2)) return;
    this.watchdog = setInterval(() => this.send('WATCHDOG=1'), periodMs / 2);
    this.watchdog.unref();
  }

  private send(message: string): void {
    this.pending.push(message);
    if (this.pending.length > maxPending) this.pending.shift();
    this.flush();
  }

  private flush(): void {
    for (let message = this.pending[0]; message !== undefined; message = this.pending[0]) {
      const data = Buffer.from(message);
      const sent = this.sendTo(this.fd, data, data.length, MSG_DONTWAIT | MSG_NOSIGNAL, this.address, this.address.length);
      if (sent < 0 && koffi.errno() === koffi.os.errno['EAGAIN']) {
        this.resend ??= setTimeout(() => {
          this.resend = null;
          this.flush();
        }, resendMs).unref();
        return;
      }
      // Any other failure: the receiver has gone, and nothing can be said to it.
      this.pending.shift();
    }
  }
}

/** A line break would begin another variable. */
function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]+/g, ' ');
}
