/**
 * log_connections and log_disconnections, in Pgpool-II's words:
 *
 *   LOG:  new connection received
 *   DETAIL:  connecting host=127.0.0.1 port=49634
 *   LOG:  frontend disconnection: session time: 0:00:00.015 user=postgres database=test host=127.0.0.1 port=49634
 */
import { LogLevel, type Logger } from '../../shared/logger.js';
import type { HandOver } from '../../shared/messages.js';
import type { Settings } from '../../shared/settings.js';
import type { HostNames } from './host-names.js';

type ConnectionSettings = Pick<Settings, 'log_connections' | 'log_disconnections' | 'log_hostname'>;

export class ConnectionLog {
  constructor(
    private readonly settings: ConnectionSettings,
    private readonly log: Logger,
    private readonly client: Pick<HandOver, 'host' | 'port' | 'acceptedMs'>,
    private readonly names: HostNames,
  ) {}

  received(): void {
    if (!this.settings.log_connections) return;
    this.withHost((host) => this.log.log(LogLevel.log, 'new connection received', { detail: `connecting ${host}` }));
  }

  /** @param connectedMs when the session began */
  ended(user: string, database: string, connectedMs: number): void {
    if (!this.settings.log_disconnections) return;
    const time = durationText(Date.now() - connectedMs);
    this.withHost((host) => this.log.log(LogLevel.log, `frontend disconnection: session time: ${time} user=${user} database=${database} ${host}`));
  }

  /** With log_hostname the line may come a little later: the client does not wait for a name server. */
  private withHost(say: (host: string) => void): void {
    const { host, port, acceptedMs } = this.client;
    if (host === '') say('host=[local]');
    else if (!this.settings.log_hostname) say(`host=${host} port=${port}`);
    else void this.names.nameOf(host, acceptedMs).then((name) => say(`host=${name} port=${port}`));
  }
}

/** h:mm:ss.mmm; there is no day. */
function durationText(ms: number): string {
  const whole = Math.max(0, Math.floor(ms));
  const digits = (number: number, width: number): string => String(Math.floor(number)).padStart(width, '0');
  return `${Math.floor(whole / 3_600_000)}:${digits(whole / 60_000 % 60, 2)}:${digits(whole / 1000 % 60, 2)}.${digits(whole % 1000, 3)}`;
}
