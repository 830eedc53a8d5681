/** What `pgpool check-auth` has found: lines for people, or JSON. */
import { escapeControls } from '../../../shared/log-prefix.js';

/** ok: as it should be; skipped: not looked at, or without effect on the login; fails: keeps the user out. */
export type Mark = 'ok' | 'skipped' | 'fails';

const signs: Readonly<Record<Mark, string>> = { ok: 'ok', skipped: '--', fails: '!!' };

/** One step. Holds no secrets. */
export interface Finding {
  readonly mark: Mark;
  /** What was looked at: `pool_passwd`, `rule`, `node 0`. */
  readonly about: string;
  /** What was found, and why. */
  readonly text: string;
  /** What to write where; there is one with every `fails` that somebody can mend. */
  readonly remedy?: string;
  /** Warnings and what is good to know. */
  readonly notes?: readonly string[];
}

/** What would happen to a client that comes by one way. */
export interface ClientReport {
  /** `a Unix socket`, `127.0.0.1 with TLS`. */
  readonly from: string;
  readonly findings: readonly Finding[];
  readonly works: boolean;
  /** One line. */
  readonly verdict: string;
}

export interface CheckAuthReport {
  readonly user: string;
  readonly database: string;
  /** Files, what is stored, the DB nodes: what does not depend on where the client comes from. */
  readonly findings: readonly Finding[];
  readonly clients: readonly ClientReport[];
  readonly works: boolean;
  readonly verdict: string;
}

/** @returns lines with their line ends */
export function reportText({ user, database, findings, clients, verdict: whole, works: isWell }: CheckAuthReport): string {
  const lines = [
    `user "${user}", database "${database}"`,
    ...findings.flatMap(findingLines),
    ...clients.flatMap(({ from, findings: own, verdict, works }) => [
      '', `client by ${from}`, ...own.flatMap(findingLines), `${works ? 'ok' : '!!'}  verdict: ${verdict}`,
    ]),
    '', `${isWell ? 'ok' : '!!'}  ${whole}`,
  ];
  // Names come from the command line, and texts from servers.
  return lines.map((line) => `${escapeControls(line)}\n`).join('');
}

export function reportJson(report: CheckAuthReport): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}

function findingLines({ mark, about, text, remedy, notes = [] }: Finding): string[] {
  return [
    `${signs[mark]}  ${about}: ${text}`,
    ...notes.map((note) => `      note: ${note}`),
    ...(remedy === undefined ? [] : [`      to do: ${remedy}`]),
  ];
}
