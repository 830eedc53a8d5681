/** Step 2: which line of pool_hba.conf decides, and which would if one thing were different. */
import type { HbaName, HbaRule } from '../../../shared/auth/hba.js';
import { type HbaClient, matchHba, needsHostName } from '../../../shared/auth/hba-match.js';
import type { Files } from './files.js';
import type { Origin } from './origin.js';
import { hbaWord } from './remedies.js';
import type { Finding } from './report.js';

export interface RuleFound {
  /** Null when none matches. */
  readonly rule: HbaRule | null;
  readonly finding: Finding;
}

/** More near misses than these tell nobody anything. */
const maxMisses = 5;
const everybody: readonly HbaName[] = [{ name: 'all', keyword: true }];

export function findRule(files: Files, origin: Origin, user: string, database: string): RuleFound {
  const { access: { hba: rules }, hbaFile } = files;
  const client: HbaClient = { transport: origin.transport, address: origin.address, tls: origin.tls, user, database };
  const rule = matchHba(rules, client);
  const above = rule === null ? rules : rules.slice(0, rules.indexOf(rule));
  const names = needsHostName(rules, client)
    ? ['lines with a host name stand above: pgpool looks the name of the address up, this check does not, and takes them for not matching'] : [];
  const notes = [...above.flatMap((other) => nearMiss(other, client)).slice(0, maxMisses), ...names];
  if (rule === null) {
    const text = `no line of ${hbaFile} matches, the client is told: no pool_hba.conf entry for host "${origin.address === '' ? '[local]' : origin.address}", user "${user}", database "${database}", SSL ${origin.tls ? 'on' : 'off'}`;
    const remedy = byTls(files, client) ?? `write into ${hbaFile}, then pgpool reload: ${lineFor(origin, user, database)}`;
    return { rule, finding: { mark: 'fails', about: 'rule', text, remedy, notes } };
  }
  const later = rules.slice(rules.indexOf(rule) + 1).filter((other) => matchHba([other], client) !== null);
  const hidden = later.length === 0 ? [] : [`it is the first that matches: ${later.slice(0, maxMisses).map(place).join(', ')} would, too, and ${later.length === 1 ? 'is' : 'are'} not reached`];
  const finding: Finding = rule.method === 'reject'
    ? { mark: 'fails', about: 'rule', text: `${place(rule)} rejects the client`, remedy: byTls(files, client) ?? `write above it, then pgpool reload: ${lineFor(origin, user, database)}`, notes: [...notes, ...hidden] }
    : { mark: 'ok', about: 'rule', text: `${place(rule)} decides: ${rule.type}, method ${rule.method}`, notes: [...notes, ...hidden] };
  return { rule, finding };
}

/** What lets a client in that comes without TLS, where a line lets it in with TLS: never a line for unencrypted clients. Null: there is none. */
function byTls({ access: { hba, tls }, settings: { configFile, ssl } }: Files, client: HbaClient): string | null {
  if (client.transport === 'unix' || client.tls) return null;
  const rule = matchHba(hba, { ...client, tls: true });
  if (rule === null || rule.method === 'reject') return null;
  const decides = `${place(rule)} (${rule.type}, ${rule.method}) decides then`;
  if (tls.server !== null) return `let the client use TLS (sslmode = require in its connection string; check-auth --tls looks at that): ${decides}`;
  const missing = ssl ? 'set ssl_cert and ssl_key' : 'set ssl = on, ssl_cert and ssl_key';
  return `${missing} in ${configFile} (a restart takes ssl over), and let the client use TLS: ${decides}`;
}

function place({ file, line }: HbaRule): string {
  return `${file}:${line}`;
}

function nearMiss(rule: HbaRule, client: HbaClient): string[] {
  const would = (changed: HbaRule, by: HbaClient, what: string): string[] => (matchHba([changed], by) === null ? [] : [`${place(rule)} (${rule.type}, ${rule.method}) would decide ${what}`]);
  const misses = [
    ...(client.transport === 'tcp' ? would(rule, { ...client, tls: !client.tls }, client.tls ? 'without TLS' : 'with TLS') : []),
    ...would({ ...rule, databases: everybody }, client, `for another database: it names ${named(rule.databases)}`),
    ...would({ ...rule, users: everybody }, client, `for another user: it names ${named(rule.users)}`),
    ...(rule.address === null ? [] : would({ ...rule, address: { kind: 'all' } }, client, 'for a client with another address')),
  ];
  return misses.slice(0, 1);
}

function named(names: readonly HbaName[]): string {
  const shown = names.slice(0, maxMisses).map(({ name, keyword }) => (keyword ? name : `"${name}"`));
  return [...shown, ...(names.length > maxMisses ? ['…'] : [])].join(', ');
}

/** A line that lets this client in by a good method. */
function lineFor({ transport, address, tls }: Origin, user: string, database: string): string {
  const names = `${hbaWord(database)} ${hbaWord(user)}`;
  if (transport === 'unix') return `local ${names} scram-sha-256`;
  return `${tls ? 'hostssl' : 'host'} ${names} ${address}/${address.includes(':') ? 128 : 32} scram-sha-256`;
}
