/**
 * pool_hba.conf: `type database user [address [mask]] method [name=value …]`, reference/commands.md section 5.
 * One bad line and the whole file is refused: half a rule file lets in whom the other half kept out.
 */
import type { HbaAddress, HbaMethod, HbaName, HbaRule } from '../../shared/auth/hba.js';
import { parseIp, prefixMask } from '../../shared/auth/ip-address.js';
import { accessLines, AccessFileError, readAccessFile } from './access-file.js';
import { hbaOptions } from './hba-options.js';
import { expandIncludes, hbaFields, type HbaField, type HbaToken } from './hba-tokens.js';

export interface PoolHba {
  readonly rules: HbaRule[];
  readonly warnings: string[];
}

const types: ReadonlySet<string> = new Set(['local', 'host', 'hostssl', 'hostnossl']);
const methods: ReadonlySet<string> = new Set(['trust', 'reject', 'md5', 'scram-sha-256', 'password', 'cert', 'pam', 'ldap']);

/** @throws AccessFileError when the file is missing, cannot be read, or has a bad line; it tells all bad lines at once */
export function readPoolHba(file: string): PoolHba {
  const text = readAccessFile(file);
  if (text === null) throw new AccessFileError([`${file}: there is no such file, and enable_pool_hba is on`]);
  return parsePoolHba(text, file);
}

/** @throws AccessFileError whose problems name file, line and field */
export function parsePoolHba(text: string, file: string): PoolHba {
  const rules: HbaRule[] = [];
  const warnings: string[] = [];
  const problems: string[] = [];
  for (const line of accessLines(text)) {
    const place = `${file}:${line.number}`;
    try {
      if (line.text.includes('\0')) throw new Error('the line holds a NUL');
      const fields = hbaFields(line.text);
      if (fields.length > 0) rules.push(parseRule(fields, file, line.number, warning => warnings.push(`${place}: ${warning}`)));
    } catch (error) {
      problems.push(`${place}: ${(error as Error).message}`);
    }
  }
  if (problems.length > 0) throw new AccessFileError(problems);
  return { rules, warnings };
}

/** Hands out the fields of a line one after the other. */
class Fields {
  private at = 0;

  constructor(private readonly fields: readonly HbaField[], private readonly file: string) {}

  list(what: string): HbaToken[] {
    const field = this.fields[this.at++];
    if (field === undefined) throw new Error(`${what} field: end of line before it`);
    return expanded(field, what, this.file);
  }

  single(what: string): HbaToken {
    const field = this.fields[this.at++];
    const [token] = field ?? [];
    if (field === undefined || token === undefined) throw new Error(`${what} field: end of line before it`);
    if (field.length > 1) throw new Error(`${what} field: more than one value where only one is allowed`);
    return token;
  }

  rest(): HbaToken[] {
    return this.fields.slice(this.at).flat();
  }
}

function expanded(field: HbaField, what: string, file: string): HbaToken[] {
  try {
    return expandIncludes(field, file);
  } catch (error) {
    throw new Error(`${what} field: ${(error as Error).message}`, { cause: error });
  }
}

function parseRule(lineFields: readonly HbaField[], file: string, line: number, warn: (text: string) => void): HbaRule {
  const fields = new Fields(lineFields, file);
  const type = fields.single('type').text;
  if (!isType(type)) throw new Error(`type field: invalid connection type "${type}"`);
  const databases = fields.list('database').map(token => databaseName(token, warn));
  const users = fields.list('user').map(token => userName(token, warn));
  const address = type === 'local' ? null : parseAddress(fields);
  const method = fields.single('method').text;
  if (!isMethod(method)) throw new Error(`method field: invalid authentication method "${method}"`);
  if (method === 'cert' && type !== 'hostssl') throw new Error('method field: cert is only possible on hostssl lines');
  const options = hbaOptions(method, fields.rest().map(token => token.text));
  return { type, databases, users, address, method, options, file, line };
}

function isType(text: string): text is HbaRule['type'] {
  return types.has(text);
}

function isMethod(text: string): text is HbaMethod {
  return methods.has(text);
}

function databaseName(token: HbaToken, warn: (text: string) => void): HbaName {
  const { text, quoted } = token;
  if (!quoted && (text === 'samegroup' || text === 'samerole')) {
    warn(`database field: ${text} is not supported and matches no client`);
    return { name: text, keyword: true };
  }
  return { name: text, keyword: !quoted && (text === 'all' || text === 'sameuser') };
}

function userName(token: HbaToken, warn: (text: string) => void): HbaName {
  const { text, quoted } = token;
  if (!quoted && text.startsWith('+')) {
    warn(`user field: groups of the server are not known here, ${text} matches no client`);
    return { name: text, keyword: true };
  }
  return { name: text, keyword: !quoted && text === 'all' };
}

function parseAddress(fields: Fields): HbaAddress {
  const { text, quoted } = fields.single('address');
  if (!quoted && (text === 'all' || text === 'samehost' || text === 'samenet')) return { kind: text };
  const slash = text.indexOf('/');
  const ip = parseIp(slash < 0 ? text : text.slice(0, slash));
  if (ip === null || text.includes('%')) {
    if (slash >= 0) throw new Error(`address field: "${text}" is no IP address with a prefix length`);
    if (!/^\.?[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$/.test(text) || /^[0-9.]+$/.test(text)) {
      throw new Error(`address field: "${text}" is no IP address and no host name`);
    }
    return { kind: 'name', name: text };
  }
  const mask = slash < 0 ? parseMask(fields, ip.family) : prefixMask(ip.family, prefixLength(text, slash, ip.family));
  return { kind: 'network', family: ip.family, bytes: ip.bytes, mask };
}

function prefixLength(text: string, slash: number, family: 4 | 6): number {
  const bits = text.slice(slash + 1);
  if (!/^[0-9]{1,3}$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128)) {
    throw new Error(`address field: invalid CIDR mask in "${text}"`);
  }
  return Number(bits);
}

function parseMask(fields: Fields, family: 4 | 6): readonly number[] {
  const { text } = fields.single('mask');
  const mask = parseIp(text);
  if (mask === null) throw new Error(`mask field: invalid IP mask "${text}" (an address without a prefix length needs one)`);
  if (mask.family !== family) throw new Error('mask field: IP address and mask are of different families');
  return mask.bytes;
}
