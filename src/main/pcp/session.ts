/** What a PCP command has to work with. */
import type { Administration } from '../administration.js';

export interface PcpSession {
  readonly administration: Administration;
  /**
   * Sends packets; resolves when the next may be made, which is when the client has taken enough of the last.
   * Rejects when the client has gone.
   */
  send(packets: Uint8Array): Promise<void>;
}

/** Answers one request. An AdministrationError that it throws is sent to the client. */
export type PcpCommand = (session: PcpSession, payload: Buffer) => Promise<void>;
