/**
 * Step 4: what the client is asked for, whether what is stored serves it, and what pgpool then has to show to DB nodes. The
 * rules are those of the workers' client login (src/workers/authentication/client-login.ts).
 */
import { randomBytes } from 'node:crypto';
import { certificateWanted, credentialAfter, matchesStored, type PasswordMethod, questionFor } from '../../../shared/auth/client-question.js';
import { type Credential, credentialOf, type StoredPassword } from '../../../shared/auth/credential.js';
import type { HbaRule } from '../../../shared/auth/hba.js';
import { scramKeys } from '../../../shared/auth/scram-keys.js';
import type { ScramVerifier } from '../../../shared/auth/scram-verifier.js';
import type { ServerMethod } from '../../../shared/auth/server-login.js';
import type { Files } from './files.js';
import type { Origin } from './origin.js';
import { howToStore, newServerPassword } from './remedies.js';
import type { Finding } from './report.js';
import type { Stored } from './stored.js';
import { formName } from './written-form.js';

export interface Case {
  readonly files: Files;
  readonly user: string;
  readonly origin: Origin;
  readonly stored: Stored;
  /** What auth_user has found about database and role; null: nobody was asked. */
  readonly database: Finding | null;
  /** As typed (-W); null when it was not asked for: then the right one is assumed. */
  readonly password: string | null;
}

export interface ClientQuestion {
  /** For the verdict: `scram-sha-256`, `nothing (trust)`. */
  readonly by: string;
  readonly asksPassword: boolean;
  /** Null when the client is refused already. */
  readonly credential: Credential | null;
  /** The password was compared with nothing: it is for the DB node to say. */
  readonly isOwn: boolean;
  readonly findings: readonly Finding[];
}

const about = 'client';
/** Stands for a password that was not typed, where only its being there counts. */
const anyPassword = 'any';

export function byRule(given: Case, rule: HbaRule): Promise<ClientQuestion> | ClientQuestion {
  const certificate = certificateFinding(given, rule);
  if (certificate?.mark === 'fails') return refused('certificate', [certificate]);
  const before = certificate === null ? [] : [certificate];
  switch (rule.method) {
    case 'reject': return refused('nothing (reject)', []);
    case 'trust':
    case 'cert': return byTrust(given, rule.method, before);
    case 'ldap':
    case 'pam': return byOutside(given, rule, before);
    case 'password':
    case 'md5':
    case 'scram-sha-256': return byPassword(given, rule.method, false, before);
  }
}

/** Relay mode, at a node that asks so. */
export function byNode(given: Case, method: ServerMethod): Promise<ClientQuestion> | ClientQuestion {
  if (method !== 'trust') return byPassword(given, method, given.files.settings.allow_clear_text_frontend_auth, []);
  const credential: Credential = { kind: 'none', why: 'the client was not asked for one: the DB node that it began with trusts it' };
  const finding: Finding = { mark: 'ok', about, text: 'is asked for nothing, because the DB node trusts it (relay mode)' };
  return { by: 'nothing (the DB node trusts it)', asksPassword: false, credential, isOwn: false, findings: [finding] };
}

function refused(by: string, findings: readonly Finding[]): ClientQuestion {
  return { by, asksPassword: false, credential: null, isOwn: false, findings };
}

function certificateFinding({ user, files }: Case, rule: HbaRule): Finding | null {
  const wanted = certificateWanted(rule);
  if (wanted === null) return null;
  const place = `${rule.file}:${rule.line}`;
  const { server } = files.access.tls;
  if (server === null || server.ca.length === 0) {
    return { mark: 'fails', about, text: `${place} wants a certificate, and no client is asked for one, because ssl_ca_cert is not set`, remedy: `set ssl_ca_cert in ${files.settings.configFile} to the file with the authority of the client certificates` };
  }
  const isDn = rule.options['clientname'] === 'DN';
  const name = wanted !== 'verify-full' ? '' : isDn ? ` whose subject, written as RFC 2253 does, is exactly "${user}"` : ` whose only CN is exactly "${user}"`;
  return { mark: 'ok', about, text: `must show a certificate of an authority in ssl_ca_cert${name} (${rule.method === 'cert' ? 'method cert' : `clientcert=${wanted}`})` };
}

function byTrust({ stored: { stored, from, isBroken }, user }: Case, method: 'trust' | 'cert', before: readonly Finding[]): ClientQuestion {
  if (isBroken) return refused(method, [...before, brokenFinding]);
  const finding: Finding = { mark: 'ok', about, text: `is asked for no password (method ${method})` };
  return { by: method === 'cert' ? 'certificate' : 'nothing (trust)', asksPassword: false, credential: credentialOf(stored, user, from), isOwn: false, findings: [...before, finding] };
}

const brokenFinding: Finding = { mark: 'fails', about, text: 'is refused, because auth_query could not be asked', remedy: 'see auth_query' };

function byOutside({ stored: { stored, from, isBroken }, user, password }: Case, rule: HbaRule, before: readonly Finding[]): ClientQuestion {
  const { method } = rule;
  if (isBroken) return refused(method, [...before, brokenFinding]);
  const typed = password ?? anyPassword;
  const credential = credentialAfter(rule, typed, stored, user, from);
  const isOwn = credential.kind === 'plain' && credential.password === typed;
  const finding: Finding = { mark: 'skipped', about, text: `is asked for its password in clear text, and ${method} has to confirm it; that is not tried here`, notes: [isOwn ? 'DB nodes are shown the same password' : `DB nodes are shown what ${from} has`] };
  return { by: method, asksPassword: true, credential, isOwn: false, findings: [...before, finding] };
}

async function byPassword(given: Case, method: PasswordMethod, mayAskClear: boolean, before: readonly Finding[]): Promise<ClientQuestion> {
  const { stored: { stored, from, isBroken }, user, password, origin } = given;
  if (isBroken) return refused(method, [...before, brokenFinding]);
  const by = questionFor(method, stored, mayAskClear);
  const isClear = by === 'password';
  const fault = isClear ? null : faultOf(given, by);
  if (fault !== null) return refused(by, [...before, fault]);
  const why = by === method || isClear ? '' : `, not by ${method}, because ${from} has a SCRAM-SHA-256 verifier`;
  const notes = isClear && origin.transport === 'tcp' && !origin.tls ? ['the password goes over the network unencrypted'] : [];
  const asked: Finding = { mark: 'ok', about, text: `is asked by ${isClear ? 'password (clear text)' : by}${why}; ${servedBy(stored, from)}`, notes };
  const isRight = password === null ? stored.kind !== 'none' : await matchesStored(password, user, stored);
  const typed = password === null ? [] : [typedFinding(password, stored, isRight, isClear, from)];
  const findings = [...before, asked, ...typed];
  if (typed.some(({ mark }) => mark === 'fails')) return refused(by, findings);
  const credential = isClear ? { kind: 'plain', password: password ?? anyPassword } as const : await credentialShown(stored, user, from, password);
  return { by, asksPassword: true, credential, isOwn: isClear && !isRight, findings };
}

function servedBy(stored: StoredPassword, from: string): string {
  return stored.kind === 'none' ? 'nothing is stored, so the DB node has to check it' : `${from} has ${formName(stored)}, which serves that`;
}

/** Why the client will be refused whatever it answers. */
function faultOf({ stored: { stored, from }, user, files }: Case, by: string): Finding | null {
  if (stored.kind === 'none') {
    const relay = files.settings.enable_pool_hba ? '' : `; or set allow_clear_text_frontend_auth = on in ${files.settings.configFile}, and let clients come by TLS`;
    const remedy = from === 'auth_query' ? newServerPassword(user) : `${howToStore(files, user)}${relay}`;
    return { mark: 'fails', about, text: `is asked by ${by}, and whatever it answers is refused: ${stored.why}`, remedy };
  }
  if (stored.kind !== 'md5' || by === 'md5') return null;
  const remedy = from === 'auth_query' ? newServerPassword(user) : howToStore(files, user);
  return { mark: 'fails', about, text: `is asked by scram-sha-256, and ${from} has only an md5 hash, which does not serve that: whatever it answers is refused`, remedy };
}

function typedFinding(password: string, stored: StoredPassword, isRight: boolean, isClear: boolean, from: string): Finding {
  if (password === '') return { mark: 'fails', about: 'password', text: 'it is empty, which is refused', remedy: 'type the password' };
  if (isRight) return { mark: 'ok', about: 'password', text: `it is the one that ${from} has` };
  if (stored.kind === 'none') return { mark: 'skipped', about: 'password', text: 'there is nothing to compare it with' };
  const text = `it is not the one that ${from} has`;
  return isClear
    ? { mark: 'skipped', about: 'password', text: `${text}: the DB node has the last word` }
    : { mark: 'fails', about: 'password', text, remedy: `type it again, or store the right one in ${from === 'auth_query' ? 'the DB server' : from}` };
}

async function credentialShown(stored: StoredPassword, user: string, from: string, password: string | null): Promise<Credential> {
  if (stored.kind !== 'verifier') return credentialOf(stored, user, from);
  return passThrough(stored.verifier, from, password);
}

/** What the client's proof shows. Without its password the keys are of no use, which only a login would notice. */
async function passThrough({ salt, iterations }: ScramVerifier, from: string, password: string | null): Promise<Credential> {
  const keys = password === null ? { clientKey: randomBytes(32), serverKey: randomBytes(32) } : await scramKeys(password, salt, iterations);
  return { kind: 'scram', keys, salt, iterations, from };
}
