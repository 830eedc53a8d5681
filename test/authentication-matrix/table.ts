/**
 * Who gets in, cell by cell, of what is stored: none, TEXT, AES, md5 and, pgloom only, a SCRAM verifier and auth_query.
 *
 *   I  with the right password (for cert: certificate), and with nothing else
 *   P  with any password whatever
 *   A  anyone, without being asked
 *   .  nobody
 *
 * The column of Pgpool-II is what Debian's 4.3.5 does, with one node or two, in streaming replication as in raw mode, with
 * TLS as without. It is checked against that program where it is installed.
 */
import { serverMethods, type ServerMethod } from '../support/auth-server.js';
import { clientMethods, storedForms, type ClientMethod, type StoredForm, type Subject } from './axes.js';

export type Verdict = 'I' | 'P' | 'A' | '.';

type Row = Readonly<Record<ServerMethod, readonly [pgpool2: string, pgloom: string]>>;

const table: Readonly<Record<ClientMethod, Row>> = {
  'relay': { trust: ['AAAA', 'AAAAAA'], password: ['III.', 'IIIIII'], md5: ['.III', '.III.I'], scram: ['.II.', '.II.II'] },
  'relay+clear': { trust: ['AAAA', 'AAAAAA'], password: ['III.', 'IIIIII'], md5: ['IIII', 'IIII.I'], scram: ['III.', 'III.II'] },
  'trust': { trust: ['AAAA', 'AAAAAA'], password: ['.AA.', '.AA...'], md5: ['.AAA', '.AAA.A'], scram: ['.AA.', '.AA...'] },
  'reject': { trust: ['....', '......'], password: ['....', '......'], md5: ['....', '......'], scram: ['....', '......'] },
  'password': { trust: ['PIII', '.IIIII'], password: ['III.', 'IIIIII'], md5: ['IIII', 'IIIIII'], scram: ['III.', 'IIIIII'] },
  'md5': { trust: ['.III', '.IIIII'], password: ['.II.', '.II...'], md5: ['.III', '.III.I'], scram: ['.II.', '.II.II'] },
  'scram': { trust: ['.II.', '.II.II'], password: ['.II.', '.II...'], md5: ['.II.', '.II...'], scram: ['.II.', '.II.II'] },
  // Over TLS; without it there is no line for the client.
  'cert': { trust: ['IIII', 'IIIIII'], password: ['.II.', '.II...'], md5: ['.III', '.III.I'], scram: ['.II.', '.II...'] },
};

/** Why pgloom differs where it does. */
export const reasons = {
  /** The client shows its password in clear text: the server can be answered with that, whatever is stored. */
  shown: 'the clear-text password answers the server',
  /** Pgpool-II asks for a password and lets in whatever is answered: nothing is stored, and the server trusts. */
  unchecked: 'a password that nobody checks is not good enough',
} as const;

/** As `client server stored`. */
export const differences: Readonly<Record<string, keyof typeof reasons>> = {
  'relay password md5': 'shown',
  'relay+clear password md5': 'shown',
  'password password md5': 'shown',
  'password scram md5': 'shown',
  'password trust none': 'unchecked',
};

export function verdictOf(program: 'pgpool2' | 'pgloom', { client, server, stored, tls }: Subject): Verdict {
  if (client === 'cert' && !tls) return '.';
  const verdict = table[client][server][program === 'pgpool2' ? 0 : 1][storedForms.indexOf(stored)];
  if (verdict !== 'I' && verdict !== 'P' && verdict !== 'A' && verdict !== '.') throw new Error(`the table has no cell ${client} ${server} ${stored} for ${program}`);
  return verdict;
}

/** All cells, as `client server stored`, where the two columns differ. */
export function differingCells(forms: readonly StoredForm[]): string[] {
  return clientMethods.flatMap((client) => serverMethods.flatMap((server) => forms
    .filter((stored) => verdictOf('pgpool2', { client, server, stored, tls: true }) !== verdictOf('pgloom', { client, server, stored, tls: true }))
    .map((stored) => `${client} ${server} ${stored}`)));
}
