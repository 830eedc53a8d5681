/**
 * The login of one client: who asks it for what, and what pgloom then shows to servers in its name.
 *
 *   enable_pool_hba on     rule of pool_hba.conf ──▶ its method ──▶ proved ──▶ first link
 *   enable_pool_hba off    first link ──server trusts──▶ welcome
 *   (relay mode)                │ server asks for X
 *                               ▼
 *                          the client is asked for X ──▶ proved ──▶ the server is answered ──▶ welcome
 *
 * In relay mode what a server asked for is remembered for a minute, and clients from there are asked first then: a server is not kept
 * waiting for every client, and links of the pool can be had. In neither mode is a link taken from the pool, or a server
 * answered, before the client has proved itself as the rule, or the server, wants it.
 */
import { credentialAfter, matchesStored, type PasswordMethod, questionFor } from '../../shared/auth/client-question.js';
import { type Credential, credentialOf, type StoredPassword } from '../../shared/auth/credential.js';
import type { HbaRule } from '../../shared/auth/hba.js';
import { md5Hash } from '../../shared/auth/md5.js';
import type { ServerMethod } from '../../shared/auth/server-login.js';
import { errors } from '../../shared/errors.js';
import type { Settings } from '../../shared/settings.js';
import type { BackendLink } from '../backend/backend-link.js';
import type { Asked } from '../backend/connect.js';
import type { PoolEntry, Standing } from '../backend/pool.js';
import type { StartupRequest } from '../session/startup.js';
import type { Worker } from '../worker.js';
import type { ClientTls } from '../../shared/tls/client-tls.js';
import { checkCertificate } from './client-certificate.js';
import { askClearText, askMd5, askScram, type Asking } from './exchanges.js';
import { LoginRefused, passwordRefused } from './login-refused.js';
import { outsideLogin } from './outside-login.js';
import type { Looked } from './stored-passwords.js';

/** How the client has proved itself, and what for. */
export interface Proof {
  readonly credential: Credential;
  readonly standing: Standing;
}

export interface LoginClient extends Asking {
  /** '' for a Unix socket. */
  readonly host: string;
  readonly tls: ClientTls | null;
  /** Told when the client's answer has turned out to be right. */
  proved(): void;
}

/** Towards servers that ask after all. */
const trusted: Credential = { kind: 'none', why: 'the client was not asked for one: the DB node that it began with trusts it' };

export class ClientLogin {
  /** Whose links the client gets; null before it has been let in by a rule. */
  private pooled: PoolEntry | null = null;
  private readonly trustedKey: string;
  private proof: Proof | null = null;
  /** The client has been asked and has not answered. */
  isAsking = false;

  /** @param settings of the session: a reload in the middle of a login changes nothing for it */
  constructor(private readonly worker: Worker, private readonly settings: Settings, private readonly request: StartupRequest, private readonly client: LoginClient) {
    if (!settings.enable_pool_hba) this.pooled = worker.pool.entry(request.parameters, trusted, 'trusted');
    this.trustedKey = this.pooled?.key ?? '';
  }

  get entry(): PoolEntry {
    if (this.pooled === null) throw new Error('links are wanted for a client that has not been let in');
    return this.pooled;
  }

  /** Carries out a rule of pool_hba.conf. @throws LoginRefused */
  async byRule(rule: HbaRule): Promise<void> {
    const { user } = this.request;
    checkCertificate(rule, user, this.client.tls);
    switch (rule.method) {
      case 'reject': throw this.rejected(rule);
      case 'trust':
      case 'cert': return this.proved(await this.byTrust());
      case 'password':
      case 'md5':
      case 'scram-sha-256': return this.proved(await this.byPassword(rule.method, false));
      case 'ldap':
      case 'pam': return this.proved(await this.byOutside(rule));
    }
  }

  private rejected({ file, line }: HbaRule): LoginRefused {
    const { user, database } = this.request;
    const error = errors.hbaReject({ host: this.client.host, user, database, tls: this.client.tls !== null });
    return new LoginRefused(error, `${error.detail ?? ''} (${file}:${line})`, false);
  }

  get isProved(): boolean {
    return this.proof !== null;
  }

  /** What is opened for it may cost others their idle links: not on behalf of somebody who only guesses. */
  mayEvict(node: number): boolean {
    return this.proof === null ? this.isTrusted(node) : this.proof.standing === 'proved';
  }

  /** In relay mode: what the client is to be asked for before a link to the node is looked for; null when the node is to be heard first. */
  expected(node: number): PasswordMethod | null {
    if (this.proof !== null) return null;
    return this.worker.serverMethods.asks(node, this.trustedKey, this.client.host);
  }

  /** The node has trusted this user just now: links that it trusts may be had from the pool. */
  isTrusted(node: number): boolean {
    return this.worker.serverMethods.isTrusting(node, this.trustedKey);
  }

  /** Relay mode: asks the client as a server asks. @throws LoginRefused */
  async ask(method: PasswordMethod): Promise<void> {
    this.isAsking = true;
    try {
      this.proved(await this.byPassword(method, this.settings.allow_clear_text_frontend_auth));
    } finally {
      this.isAsking = false;
    }
  }

  /**
   * What the question of a node is given to while the client has not proved itself.
   * @param mayAsk false when it is logged in already: a node that asks then gets no answer
   */
  askedBy(node: number, mayAsk: boolean): Asked {
    return async (method) => {
      this.heard(node, method);
      if (method !== 'trust' && mayAsk) await this.ask(method);
      return this.entry.as.credential;
    };
  }

  /** Something was opened for this client. */
  opened({ node, method }: BackendLink): void {
    if (method !== null) this.heard(node, method);
  }

  private heard(node: number, method: ServerMethod): void {
    if (this.trustedKey === '') return;
    this.worker.serverMethods.note(node, this.trustedKey, this.client.host, method);
    if (method !== 'trust') this.worker.pool.closeTrusted(node, this.trustedKey);
  }

  /** What speaks against beginning with this link: it proves nothing of a client whom only the server can check. */
  refusalOf(link: BackendLink): LoginRefused | null {
    if (this.entry.standing !== 'own' || link.method !== 'trust') return null;
    return passwordRefused(this.request.user, `nothing to compare the client's password with: it is not the one in pool_passwd, if there is one, and DB node ${link.node} trusts everybody`);
  }

  private proved(proof: Proof): void {
    this.proof = proof;
    // Of a password that only a server can check nothing is known yet.
    if (proof.standing !== 'own') this.client.proved();
    this.pooled = this.worker.pool.entry(this.request.parameters, proof.credential, proof.standing);
  }

  private async byTrust(): Promise<Proof> {
    const { stored, from } = await this.lookOrNothing();
    return { credential: credentialOf(stored, this.request.user, from), standing: 'proved' };
  }

  /** The client is let in whatever is stored: that auth_query cannot be asked matters only to servers that ask for a password. */
  private async lookOrNothing(): Promise<Looked> {
    try {
      return await this.worker.passwords.find(this.request.user);
    } catch (error) {
      if (!(error instanceof LoginRefused)) throw error;
      return { stored: { kind: 'none', why: error.reason }, from: 'auth_query' };
    }
  }

  /** @param mayAskClear allow_clear_text_frontend_auth */
  private async byPassword(method: PasswordMethod, mayAskClear: boolean): Promise<Proof> {
    const { user } = this.request;
    const looked = await this.worker.passwords.look(user);
    const { stored, from } = looked;
    const question = questionFor(method, stored, mayAskClear);
    if (question === 'password') return this.byClearText(stored);
    const credential = credentialOf(stored, user, from);
    // Whoever is unknown is asked as most are: in relay mode as the server asks, else by SCRAM where verifiers are what is known.
    const looksScram = stored.kind === 'none' && this.settings.enable_pool_hba && (from === 'auth_query' || this.worker.passwords.hasVerifiers);
    if (question === 'md5' && !looksScram) {
      const hash = stored.kind === 'plain' ? md5Hash(stored.password, user) : stored.kind === 'md5' ? stored.hash : null;
      await askMd5(this.client, hash, stored.kind === 'none' ? stored.why : '');
      return { credential, standing: 'proved' };
    }
    const verifier = await this.worker.passwords.verifier(user, looked);
    const proof = await askScram(this.client, verifier, this.client.tls?.endPoint ?? null, unusableForScram(stored, user, from));
    if (stored.kind !== 'verifier') return { credential, standing: 'proved' };
    const { salt, iterations } = verifier;
    return { credential: { kind: 'scram', keys: proof.keys, salt, iterations, from }, standing: 'proved' };
  }

  /** The password itself: compared with what is stored, and if it is not that, it is the server that has to say. */
  private async byClearText(stored: StoredPassword): Promise<Proof> {
    const password = await askClearText(this.client);
    const matches = await matchesStored(password, this.request.user, stored);
    return { credential: { kind: 'plain', password }, standing: matches ? 'proved' : 'own' };
  }

  /** LDAP and PAM: the client's password is for those, and for servers when nothing else is known. */
  private async byOutside(rule: HbaRule): Promise<Proof> {
    const { user } = this.request;
    const password = await askClearText(this.client);
    await outsideLogin(rule, user, password, this.client.host);
    const { stored, from } = await this.lookOrNothing();
    return { credential: credentialAfter(rule, password, stored, user, from), standing: 'proved' };
  }
}

/** Why the stored password cannot be right by SCRAM; null when it can. */
function unusableForScram(stored: StoredPassword, user: string, from: string): string | null {
  if (stored.kind === 'none') return stored.why;
  return stored.kind === 'md5' ? `${from} has only an md5 hash of the password of user "${user}", and scram-sha-256 needs the password itself (TEXT or AES) or a SCRAM-SHA-256 verifier` : null;
}
