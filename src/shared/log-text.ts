/** One message as lines of text, as PostgreSQL and Pgpool-II write it: every line has the prefix. */
import { PgError } from './errors.js';
import { levelLabel, type LogLevel } from './log-level.js';
import { escapeControls, type LogIdentity, type LogPrefix } from './log-prefix.js';

export type LogVerbosity = 'terse' | 'default' | 'verbose';

export interface LogExtra {
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
  /** A PgError lends its detail, hint and SQLSTATE, any other error its stack. */
  readonly error?: Error | undefined;
  /** Node number the message is about; only in JSON. */
  readonly node?: number | undefined;
}

export interface LogEvent {
  readonly identity: LogIdentity;
  readonly level: LogLevel;
  readonly message: string;
  readonly extra: LogExtra;
  readonly timeMs: number;
  /** Number of the next line of this identity, counted from 1: DETAIL, HINT and STACK have numbers of their own. */
  readonly nextLine: () => number;
  readonly verbosity: LogVerbosity;
}

/** @returns whole lines, each with its line end */
export function logText(event: LogEvent, prefix: LogPrefix): string {
  const { extra: { error }, verbosity } = event;
  const start = (): string => prefix(event.identity, event.timeMs, event.nextLine());
  const { detail, hint, sqlstate, stack } = extraFields(event.extra);
  const code = verbosity === 'verbose' && error instanceof PgError ? `${sqlstate}: ` : '';
  const line = (label: string, text: string): string => `${start()}${label}:  ${escapeControls(text)}\n`;
  let text = line(levelLabel(event.level), code + event.message);
  if (verbosity !== 'terse') {
    if (detail !== undefined) text += line('DETAIL', detail);
    if (hint !== undefined) text += line('HINT', hint);
  }
  for (const frame of stack?.split('\n') ?? []) text += line('STACK', frame.trim());
  return text;
}

export interface ExtraFields {
  readonly detail: string | undefined;
  readonly hint: string | undefined;
  readonly sqlstate: string | undefined;
  readonly stack: string | undefined;
}

/** What a message says besides its text. */
export function extraFields(extra: LogExtra): ExtraFields {
  const { error } = extra;
  if (error instanceof PgError) {
    return { detail: extra.detail ?? error.detail, hint: extra.hint ?? error.hint, sqlstate: error.sqlstate, stack: undefined };
  }
  return { detail: extra.detail, hint: extra.hint, sqlstate: undefined, stack: error === undefined ? undefined : error.stack ?? String(error) };
}
