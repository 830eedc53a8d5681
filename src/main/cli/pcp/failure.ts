/** Why a pcp_* command ends without a result. */
import { escapeControls } from '../../../shared/log-prefix.js';
import type { PcpOptions } from './options.js';

/**
 * `usage` and `connection` (also the login) end Pgpool-II's commands with status 1; `command`, what goes wrong after
 * the login and numbers out of range, with 0.
 */
export type FailureKind = 'usage' | 'connection' | 'command';

export interface ServerError {
  readonly severity: string;
  readonly message: string;
  readonly detail: string | undefined;
}

export class PcpFailure extends Error {
  /** What the server said, when it is the server's error. */
  readonly serverError: ServerError | undefined;
  /** Set when the options are the fault, so that it can be told in the form they ask for. */
  options: Pick<PcpOptions, 'json' | 'alwaysExit0'> | undefined;

  constructor(readonly kind: FailureKind, message: string, serverError?: ServerError) {
    super(message);
    this.name = 'PcpFailure';
    this.serverError = serverError;
  }

  /** What is printed on the standard error, with its line ends: as Pgpool-II's commands do, a server's error has an empty line behind it. */
  get text(): string {
    const { serverError } = this;
    if (serverError === undefined) return `${escapeControls(this.message)}\n`;
    return `${serverErrorText(serverError)}\n`;
  }

  /** The member `error` of the JSON document. */
  toJson(): Record<string, unknown> {
    const { serverError } = this;
    if (serverError === undefined) return { severity: 'ERROR', message: this.message.replace(/^ERROR: +/, '').trimEnd(), detail: null };
    return { severity: serverError.severity, message: serverError.message, detail: serverError.detail ?? null };
  }
}

/** Lines as Pgpool-II's commands print them. */
export function serverErrorText({ severity, message, detail }: ServerError): string {
  const first = `${escapeControls(severity)}:  ${escapeControls(message)}\n`;
  return detail === undefined ? first : `${first}DETAIL:  ${escapeControls(detail)}\n`;
}

/** A reply that is not what the protocol says. */
export function malformed(what: string): PcpFailure {
  return new PcpFailure('command', `ERROR: invalid response from the server: ${what}`);
}
