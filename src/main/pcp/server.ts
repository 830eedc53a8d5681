/**
 * The PCP server: a port of its own in the primary thread for the pcp_* commands and pgpool_adm (reference/wire.md).
 *
 * Anybody can connect, and it costs little to make somebody who does not log in leave: there are never more than 500 clients
 * that have not logged in; the one that has waited longest makes place for the next. Those that have logged in may
 * stay, as with Pgpool-II, however many they are.
 */
import type { Administration } from '../administration.js';
import type { AcceptedClient } from '../listen/admission-queue.js';
import { Listeners } from '../listen/listener.js';
import { type Logger, LogLevel, newLogIdentity } from '../../shared/logger.js';
import { PcpConnection } from './connection.js';
import { FailureDelays } from './failure-delays.js';

const maxStrangers = 500;
const backlog = 511;
const socketMode = 0o777;

export class PcpServer {
  private readonly connections = new Set<PcpConnection>();
  private readonly delays = new FailureDelays();
  private readonly log: Logger;
  private listeners: Listeners | null = null;
  private lastId = 0;

  private constructor(private readonly administration: Administration, private readonly pcpFile: string) {
    this.log = administration.log.child(newLogIdentity('pcp_main'));
  }

  /**
   * Listens where the settings say: pcp_listen_addresses, pcp_port, pcp_socket_dir. With both lists empty there is no PCP.
   * @param pcpFile path of pcp.conf, which is read at each login
   * @throws ListenError
   */
  static async open(administration: Administration, pcpFile: string): Promise<PcpServer> {
    const server = new PcpServer(administration, pcpFile);
    await server.listen();
    return server;
  }

  /** What is listened on: `127.0.0.1:9898`, a path. */
  get addresses(): readonly string[] {
    return this.listeners?.addresses ?? [];
  }

  /** Stops listening and disconnects all clients. */
  async close(): Promise<void> {
    await this.listeners?.close();
    for (const connection of this.connections) connection.destroy();
  }

  private async listen(): Promise<void> {
    const { pcp_listen_addresses, pcp_port, pcp_socket_dir } = this.administration.sources().settings;
    if (pcp_listen_addresses.length === 0 && pcp_socket_dir.length === 0) return;
    this.listeners = await Listeners.open({
      listenAddresses: pcp_listen_addresses,
      port: pcp_port,
      unixSocketDirectories: pcp_socket_dir,
      unixSocketGroup: '',
      unixSocketPermissions: socketMode,
      backlog,
    }, {
      onClient: (client) => {
        void this.serve(client);
      },
      onAcceptError: (error, times) => this.log.log(LogLevel.error, `PCP clients could not be accepted (${times} times): ${error.message}`),
    });
  }

  /** Never rejects. */
  private async serve({ socket, host }: AcceptedClient): Promise<void> {
    this.lastId += 1;
    const id = this.lastId;
    const connection = new PcpConnection(socket, { administration: this.administration, pcpFile: this.pcpFile, delays: this.delays, id, address: host });
    this.makePlace();
    this.connections.add(connection);
    this.logProcess(`forked new pcp worker, pid=${id} socket=${descriptor(socket)}`);
    const status = await connection.serve();
    this.connections.delete(connection);
    this.logProcess(`PCP process with pid: ${id} exit with SUCCESS.`);
    this.logProcess(`PCP process with pid: ${id} exits with status ${status}`);
  }

  private makePlace(): void {
    let strangers = 0;
    let oldest: PcpConnection | null = null;
    for (const connection of this.connections) {
      if (!connection.isStranger) continue;
      strangers += 1;
      oldest ??= connection;
    }
    if (strangers < maxStrangers) return;
    this.log.log(LogLevel.debug1, `more than ${maxStrangers} PCP clients have not logged in; one is disconnected`);
    oldest?.destroy();
  }

  private logProcess(text: string): void {
    if (this.administration.sources().settings.log_pcp_processes) this.log.log(LogLevel.log, text);
  }
}

/** Number of the socket's descriptor, -1 where Node does not tell. */
function descriptor(socket: object): number {
  const handle = (socket as { readonly _handle?: { readonly fd?: number } | null })._handle;
  return handle?.fd ?? -1;
}
