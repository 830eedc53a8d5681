/** The part of the log that goes to syslogd. */
import type { LogEvent } from './log-text.js';
import { LogQueue } from './log-queue.js';
import { logging } from './parameters/logging.js';
import type { Settings } from './settings.js';
import { syslogDatagrams, syslogJson } from './syslog-message.js';
import { SyslogSocket } from './syslog-socket.js';

export type SyslogSettings = Pick<Settings, 'syslog_facility' | 'syslog_ident'>;

/** Linux lets only ten datagrams wait for syslogd (net.unix.max_dgram_qlen), so it is asked again soon. */
const retryMs = 10;

export class Syslog {
  private readonly socket = new SyslogSocket();
  private readonly queue: LogQueue;
  private entries = 0;

  /** @param onRecovered see LogQueue */
  constructor(private settings: SyslogSettings, onRecovered: (lost: number) => void) {
    this.queue = new LogQueue((bytes) => (this.socket.send(bytes) ? bytes.length : 0), retryMs, onRecovered);
  }

  apply(settings: SyslogSettings): void {
    this.settings = settings;
  }

  /** @param text whole lines, or an object of JSON */
  write(event: LogEvent, text: string, isJson: boolean): void {
    const { syslog_facility, syslog_ident: ident } = this.settings;
    const entry = { facility: logging.syslog_facility.words[syslog_facility], ident, level: event.level, id: event.identity.id, timeMs: event.timeMs };
    const datagrams = isJson ? [syslogJson(entry, text)] : syslogDatagrams(entry, ++this.entries, text);
    for (const datagram of datagrams) this.queue.write(datagram);
  }

  flush(): void {
    this.queue.flush();
  }

  close(): void {
    this.queue.flush();
    this.socket.close();
  }
}
