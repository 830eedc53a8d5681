/**
 * One client of the PCP port, from accept to the end. Requests are answered one after the other; while one is being
 * answered, nothing more is read.
 *
 *   unknown ──M──▶ salted ──R right──▶ authenticated ──any command──▶ authenticated
 *           M may come again at any time, R takes its salt
 *   X, a FATAL error, a client that says nothing before its login or takes nothing of its answer: the end
 */
import type { Socket } from 'node:net';
import { type Administration, AdministrationError } from '../administration.js';
import { type Logger, LogLevel, newLogIdentity } from '../../shared/logger.js';
import { authenticate, newSalt } from './authentication.js';
import { commands } from './commands/table.js';
import { errorPacket } from './error-packet.js';
import type { FailureDelays } from './failure-delays.js';
import { packet, PacketReader, type PcpPacket } from './framing.js';
import type { PcpSession } from './session.js';

/** A client that has taken nothing of its answer for so long is given up. */
const stallMs = 60_000;
/** How long a client may take to read why it is disconnected, and to close. */
const politeMs = 1_000;

export interface ConnectionOptions {
  readonly administration: Administration;
  readonly pcpFile: string;
  readonly delays: FailureDelays;
  /** Shown where Pgpool-II shows the process id of a PCP worker. */
  readonly id: number;
  /** Address of the client, '' for a Unix socket. */
  readonly address: string;
}

/** The client has closed, or was disconnected, in the middle of something. */
class Gone extends Error {}

export class PcpConnection implements PcpSession {
  readonly administration: Administration;
  private isAuthenticated = false;
  private readonly log: Logger;
  private salt: Buffer | null = null;
  private ending = false;
  /** Its end is not logged: it is one of many failed logins. */
  private isQuiet = false;
  private loginTimer: NodeJS.Timeout | undefined;

  constructor(private readonly socket: Socket, private readonly options: ConnectionOptions) {
    this.administration = options.administration;
    this.log = options.administration.log.child(newLogIdentity('pcp_child', options.id));
    socket.on('error', () => socket.destroy());
  }

  /**
   * Serves the client until the end; never rejects.
   * @returns the wait status that Pgpool-II's worker process would end with: 0, or 256 after a FATAL error
   */
  async serve(): Promise<0 | 256> {
    this.startLoginTimer();
    try {
      const reader = new PacketReader();
      for await (const chunk of this.socket.iterator({ destroyOnReturn: false })) {
        reader.push(chunk as Buffer);
        for (let request = reader.next(); request !== null && !this.ending; request = reader.next()) await this.answer(request);
        if (this.ending) break;
      }
      return 0;
    } catch (error) {
      if (!(error instanceof AdministrationError)) return 0; // the client has gone
      if (!this.isQuiet) this.report(error);
      await this.disconnect(errorPacket(error));
      return 256;
    } finally {
      clearTimeout(this.loginTimer);
      this.destroy();
    }
  }

  /** Connected, and has not logged in. */
  get isStranger(): boolean {
    return !this.isAuthenticated && !this.ending;
  }

  /** Ends the connection now, whatever is under way. */
  destroy(): void {
    this.ending = true;
    this.socket.destroy();
  }

  readonly send = async (packets: Uint8Array): Promise<void> => {
    const { socket } = this;
    if (this.ending || socket.destroyed) throw new Gone();
    if (socket.write(packets)) return;
    await this.drained();
    if (socket.destroyed) throw new Gone();
  };

  /** Resolves when the client has taken what was written, has gone, or is given up. */
  private drained(): Promise<void> {
    const { socket } = this;
    return new Promise((resolve) => {
      let leftBytes = socket.writableLength;
      // A slow client that takes a little now and then is not given up.
      const timer = setInterval(() => {
        if (socket.writableLength === leftBytes) {
          this.log.log(LogLevel.log, `PCP client takes nothing of its answer for ${stallMs / 1000} s; disconnected`);
          socket.destroy();
        }
        leftBytes = socket.writableLength;
      }, stallMs);
      const done = (): void => {
        clearInterval(timer);
        socket.off('drain', done).off('close', done);
        resolve();
      };
      socket.on('drain', done).on('close', done);
    });
  }

  /** @throws AdministrationError, FATAL; Gone */
  private async answer({ type, payload }: PcpPacket): Promise<void> {
    if (type === 'M') {
      this.salt = newSalt();
      return this.send(packet('m', this.salt));
    }
    if (type === 'R') return this.login(payload);
    if (!this.isAuthenticated) throw new AdministrationError('authentication failed for new PCP connection', 'connection not authorized', 'FATAL');
    if (type === 'X') {
      this.ending = true;
      return;
    }
    const command = Object.hasOwn(commands, type) ? commands[type] : undefined;
    if (command === undefined) throw new AdministrationError('PCP processing request', `unknown PCP packet type "${type}"`, 'FATAL');
    await this.obey(type, () => command(this, payload));
  }

  /** An ERROR is told and the connection goes on; a fault of pgloom's is logged with its stack and told as one. */
  private async obey(type: string, command: () => Promise<void>): Promise<void> {
    try {
      await command();
    } catch (error) {
      if (error instanceof Gone || (error instanceof AdministrationError && error.severity === 'FATAL')) throw error;
      if (error instanceof AdministrationError) {
        this.report(error);
        return this.send(errorPacket(error));
      }
      this.log.log(LogLevel.error, `PCP request "${type}" failed`, { error: error as Error });
      throw new AdministrationError('internal error', 'the log of pgloom tells more', 'FATAL');
    }
  }

  private async login(payload: Buffer): Promise<void> {
    const { salt } = this;
    const { address, delays, pcpFile } = this.options;
    this.salt = null;
    // It has said who it is. A wrong password ends the connection, however late that is told.
    clearTimeout(this.loginTimer);
    this.isAuthenticated = false;
    try {
      await delays.attempt({
        address,
        login: async () => {
          if (this.ending || this.socket.destroyed) throw new Gone();
          await authenticate(payload, salt, pcpFile);
        },
        pause: (waitMs) => this.pause(waitMs),
      });
    } catch (error) {
      this.isQuiet = error instanceof AdministrationError && !delays.tells(address, this.log);
      throw error;
    }
    this.isAuthenticated = true;
    await this.send(packet('r', 'AuthenticationOK'));
  }

  /** Resolves after the time, or when the client has gone. */
  private pause(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  private startLoginTimer(): void {
    const seconds = this.administration.sources().settings.authentication_timeout;
    if (seconds === 0) return;
    this.loginTimer = setTimeout(() => {
      if (this.ending) return;
      const error = new AdministrationError('authentication timeout', `no login within ${seconds} s`, 'FATAL');
      this.report(error);
      void this.disconnect(errorPacket(error));
    }, seconds * 1000);
  }

  /** Sends the last packet and lets the client read it: closing with unread bytes would reset the connection. */
  private async disconnect(last: Buffer): Promise<void> {
    const { socket } = this;
    this.ending = true;
    if (socket.destroyed) return;
    socket.end(last);
    socket.resume();
    await this.pause(politeMs);
    socket.destroy();
  }

  private report(error: AdministrationError): void {
    this.log.log(error.severity === 'FATAL' ? LogLevel.fatal : LogLevel.error, error.message, { detail: error.detail });
  }
}
