/** A statement with the calls of pgpool_adm's functions replaced by what they give, for the server to do the rest. */
import { pcpFunction, type PcpRow } from '../../shared/pcp-functions.js';
import type { PcpSite } from './own-command.js';

/**
 * @param text one character for each byte, as the sites' offsets are meant
 * @param results rows of each site; null: none, but of the right types
 * @returns the same, one character for each byte; what is put in is ASCII
 */
export function pcpText(text: string, sites: readonly PcpSite[], results: readonly (readonly PcpRow[])[] | null): string {
  let made = '';
  let from = 0;
  for (const [at, site] of sites.entries()) {
    made += text.slice(from, site.from) + replacement(site, results?.[at] ?? []);
    from = site.to;
  }
  return made + text.slice(from);
}

function replacement({ name, place }: PcpSite, rows: readonly PcpRow[]): string {
  const { gives } = pcpFunction(name);
  const subquery = rowsSql(name, rows);
  if (place === 'expression') return gives === 'value' ? `(SELECT r.c1 AS ${name} ${fromRows(name, rows)})` : `(SELECT ${name} FROM (${subquery}) AS ${name})`;
  return place === 'from' ? `(${subquery}) AS ${name}` : `(${subquery})`;
}

function rowsSql(name: PcpSite['name'], rows: readonly PcpRow[]): string {
  const list = pcpFunction(name).columns.map(([column], at) => `r.c${at + 1} AS "${column}"`).join(', ');
  return `SELECT ${list} ${fromRows(name, rows)}`;
}

function fromRows(name: PcpSite['name'], rows: readonly PcpRow[]): string {
  const types = pcpFunction(name).columns.map(([, type], at) => `c${at + 1} pg_catalog.${type === 'timestamp' ? '"timestamp"' : type}`).join(', ');
  const objects = rows.map((row) => Object.fromEntries(row.map((value, at) => [`c${at + 1}`, typeof value === 'string' ? value.replaceAll('\0', '') : value])));
  // Between dollars, which standard_conforming_strings leaves alone, and in ASCII, whatever client_encoding is.
  const json = JSON.stringify(objects).replace(/[^ -#%-~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `FROM pg_catalog.json_to_recordset($pgloom$${json}$pgloom$::pg_catalog.json) AS r(${types})`;
}
