/** What a pcp_* command is. */
import type { PcpConnection } from './client/connection.js';
import type { OptionName } from './option-rules.js';
import type { PcpOptions } from './options.js';

/** An answer in each of its forms; texts end with a line end. */
export interface PcpResult {
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
}

export interface PcpCommand {
  readonly name: `pcp_${string}`;
  /** For the usage text. */
  readonly summary: string;
  /** Besides those that all have. */
  readonly options: readonly OptionName[];
  /** The kind of id that may be the first argument. */
  readonly id?: 'node-id' | 'process-id' | 'watchdog-id';
  readonly idRequired?: true;
  /** Asks the server; the connection is logged in. @throws PcpFailure */
  run(connection: PcpConnection, options: PcpOptions): Promise<PcpResult>;
}
