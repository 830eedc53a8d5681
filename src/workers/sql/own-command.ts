/**
 * Statements for pgloom itself: SHOW POOL_… (which PostgreSQL's grammar takes for a SHOW) and PGPOOL … (which it does not
 * know).
 *
 *   PGPOOL SHOW name | group | ALL
 *   PGPOOL SET name { TO | = } { value | DEFAULT }
 *   PGPOOL SET CACHE DELETE 'statement'
 *   PGPOOL RESET name | ALL
 */
import type { PcpCall, PcpFunctionName } from '../../shared/pcp-functions.js';
import type { Plan } from './plan.js';

/** What a SHOW POOL_… asks for. */
export type PoolReport = 'pool_nodes' | 'pool_processes' | 'pool_pools' | 'pool_status' | 'pool_version' | 'pool_cache'
  | 'pool_health_check_stats' | 'pool_backend_stats';

/** SHOW POOL_… and PGPOOL …: what pgloom answers alone. */
export type PgpoolCommand =
  | { readonly type: 'report'; readonly report: PoolReport }
  | { readonly type: 'show'; readonly name: string }
  /** value null: DEFAULT. */
  | { readonly type: 'set'; readonly name: string; readonly value: string | null }
  /** name null: ALL. */
  | { readonly type: 'reset'; readonly name: string | null }
  | { readonly type: 'deleteCache'; readonly statement: string }
  /** It begins with PGPOOL and goes on with something that nobody knows. */
  | { readonly type: 'wrong'; readonly near: string };

export type OwnCommand = PgpoolCommand | PcpCommand;

/** A call of one of pgpool_adm's functions in a text: [from, to) is what its result takes the place of. */
export interface PcpSite {
  readonly name: PcpFunctionName;
  readonly from: number;
  readonly to: number;
  readonly place: 'from' | 'aliased' | 'expression';
  readonly call: PcpCall;
}

/** A statement that calls functions of pgpool_adm: the server gets it with their results in it, if it has not the functions itself. */
export interface PcpCommand {
  readonly type: 'pcp';
  /** One character for each byte. */
  readonly text: string;
  /** In the order of the text. */
  readonly sites: readonly PcpSite[];
  /** One of them has arguments for the connection. */
  readonly hasLogins: boolean;
  /** One of them changes something. */
  readonly acts: boolean;
  /** Why it is not answered. */
  readonly refusal: string | null;
  /** Plan of the statement with results in it; its `own` is this. */
  readonly rest: Plan;
  /** Its plan where the server has the functions. */
  readonly otherwise: Plan;
}

const reports: ReadonlySet<string> = new Set<PoolReport>([
  'pool_nodes', 'pool_processes', 'pool_pools', 'pool_status', 'pool_version', 'pool_cache', 'pool_health_check_stats', 'pool_backend_stats',
]);

/** The report that `SHOW name` asks pgloom for; null when it is the server's. */
export function reportNamed(name: string): PgpoolCommand | null {
  const report = name.toLowerCase();
  return reports.has(report) ? { type: 'report', report: report as PoolReport } : null;
}

/** One token: a string, a name in double quotes, a word or number, any other character. */
const tokenPattern = /'(?:[^']|'')*'|"(?:[^"]|"")+"|[\w$.+-]+|[^\s]/y;
/** No command has more; what follows is not read. */
const maxTokens = 8;

/** The command that a text is; null when it does not begin with PGPOOL. Of several statements the first decides, as in Pgpool-II. */
export function pgpoolCommand(text: string): PgpoolCommand | null {
  let at = 0;
  do at = behindBlanks(text, at); while (text[at] === ';' && ++at > 0);
  if (!/^pgpool(?![\w$\u0080-\uffff])/i.test(text.slice(at, at + 7))) return null;
  const tokens = tokensOf(text, at + 6);
  return commandOf(tokens) ?? { type: 'wrong', near: tokens[0] ?? '' };
}

/** Those of the first statement. */
function tokensOf(text: string, from: number): string[] {
  const tokens: string[] = [];
  let at = behindBlanks(text, from);
  while (at < text.length && text[at] !== ';' && tokens.length < maxTokens) {
    tokenPattern.lastIndex = at;
    const token = tokenPattern.exec(text)?.[0] ?? '';
    if (token === '') break;
    // A comment may stand right behind a word.
    const comment = /^[\w$.+]/.test(token) ? token.indexOf('--') : -1;
    const taken = comment > 0 ? token.slice(0, comment) : token;
    tokens.push(taken);
    at = behindBlanks(text, at + taken.length);
  }
  return tokens;
}

/** Where the white space and the comments from `at` on end; comments may be nested. */
function behindBlanks(text: string, from: number): number {
  let at = from;
  for (;;) {
    if (/\s/.test(text[at] ?? '')) {
      at++;
    } else if (text.startsWith('--', at)) {
      const end = text.indexOf('\n', at);
      at = end < 0 ? text.length : end + 1;
    } else if (text.startsWith('/*', at)) {
      at = behindComment(text, at);
    } else {
      return at;
    }
  }
}

function behindComment(text: string, from: number): number {
  let depth = 0;
  let at = from;
  do {
    if (at >= text.length) return text.length;
    if (text.startsWith('/*', at)) {
      depth++;
      at += 2;
    } else if (text.startsWith('*/', at)) {
      depth--;
      at += 2;
    } else {
      at++;
    }
  } while (depth > 0);
  return at;
}

function commandOf(tokens: readonly string[]): PgpoolCommand | null {
  const [verb = '', first = '', second = '', third = '', ...more] = tokens;
  const name = nameOf(first);
  const words = [verb, first, second].map((word) => word.toLowerCase());
  if (words[0] === 'set' && words[1] === 'cache' && words[2] === 'delete' && third.startsWith("'") && more.length === 0) return { type: 'deleteCache', statement: stringOf(third) };
  if (name === null || more.length > 0) return null;
  switch (words[0]) {
    case 'show':
      return second === '' ? { type: 'show', name } : null;
    case 'reset':
      if (second !== '') return null;
      return { type: 'reset', name: words[1] === 'all' ? null : name };
    case 'set':
      if ((words[2] !== 'to' && second !== '=') || third === '') return null;
      return { type: 'set', name, value: third.toLowerCase() === 'default' ? null : stringOf(third) };
    default:
      return null;
  }
}

/** A name as PostgreSQL's parser folds it; null when the token is none. */
function nameOf(token: string): string | null {
  if (token.startsWith('"')) return token.slice(1, -1).replaceAll('""', '"');
  return /^[a-z_][\w$]*$/i.test(token) ? token.toLowerCase() : null;
}

function stringOf(token: string): string {
  if (token.startsWith("'")) return token.slice(1, -1).replaceAll("''", "'");
  return token.startsWith('"') ? token.slice(1, -1).replaceAll('""', '"') : token;
}
