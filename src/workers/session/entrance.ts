/**
 * How a client comes in: from the first packet to the first ReadyForQuery.
 *
 *   startup ──▶ rule of pool_hba.conf ──▶ login ──▶ first link ──▶ welcome
 *           └──relay mode─────────────────────────▶ first link (login on the way, when the server asks) ──▶ welcome
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { errors } from '../../shared/errors.js';
import { LogLevel } from '../../shared/logger.js';
import { ChildState } from '../../shared/memory/child-table.js';
import type { HandOver } from '../../shared/messages.js';
import { TX } from '../../shared/protocol/letters.js';
import { keyData, readyForQuery } from '../../shared/protocol/writer.js';
import type { Attempt } from '../../shared/memory/login-failures.js';
import type { ClientTls } from '../../shared/tls/client-tls.js';
import { ClientLogin } from '../authentication/client-login.js';
import { findRule } from '../authentication/hba-rule.js';
import { LoginRefused, passwordRefused } from '../authentication/login-refused.js';
import { PasswordReader } from '../authentication/password-reader.js';
import type { BackendLink } from '../backend/backend-link.js';
import type { ServerRefusal } from '../backend/connect.js';
import { startsIsolated } from './isolation.js';
import { takeSecret } from './secret.js';
import type { Session } from './session.js';
import { Startup, type StartupRequest } from './startup.js';

/** Of the application's name in the log, before anybody has looked at it. */
const shownCharacters = 63;
/** Others may have given back meanwhile what a held login waits for. */
const mostHeldMs = 250;

export class Entrance {
  user = '';
  database = '';
  /** application_name of the startup packet. */
  application = '';
  /** How the client proves itself, and whose links it gets; from the startup packet on. */
  login!: ClientLogin;
  private tls: ClientTls | null = null;
  private passwords: PasswordReader | null = null;
  /** When the client's last answer was looked at; 0 before the first. */
  private answeredMs = 0;
  /** The client's last answer, while nobody knows whether it is right. */
  private attempt: Attempt | null = null;
  private isRefused = false;
  private leave: () => void = () => undefined;
  /** Resolves when the session is over. */
  private readonly left = new Promise<void>((resolve) => { this.leave = resolve; });

  constructor(private readonly session: Session, private readonly handOver: HandOver) {}

  /** Reads the first packets. */
  open(): void {
    const { session } = this;
    const { client, worker } = session;
    const { server } = worker.tls;
    const startup = new Startup({
      offersTls: server !== null && this.handOver.transport === 'tcp',
      reply: (bytes) => client.send(bytes),
      startTls: (hello) => server !== null && client.startTls(server, hello, (shown, fault) => {
        this.tls = shown;
        startup.encrypted(fault);
      }),
      started: (request) => this.started(request),
      cancelRequested: (pid, key) => session.cancelRequested(pid, key),
      refused: (error) => session.fail(error),
    });
    client.reader = startup;
  }

  private started(request: StartupRequest): void {
    const { session, handOver } = this;
    const { worker, client, childRow } = session;
    const { user, database, application } = request;
    this.user = user;
    this.database = database;
    this.application = application;
    Object.assign(session.identity, { user, database, application: application.slice(0, shownCharacters) });
    const { host, port } = handOver;
    worker.childTable.setClient(childRow, { database, user, host, port, application, connectedMs: session.connectedMs, secret: takeSecret() });
    if (request.negotiation !== null) client.send(request.negotiation);
    const passwords = new PasswordReader(client, (error) => (error === null ? session.finish('the client left', null) : session.fail(error)));
    this.passwords = passwords;
    client.reader = passwords;
    this.login = new ClientLogin(worker, session.settings, request, { user, host, tls: this.tls, send: (bytes) => client.send(bytes), next: (isLast) => this.nextAnswer(passwords, isLast), proved: () => this.settleAttempt() });
    if (!session.settings.enable_pool_hba) return this.begin();
    const caller = { transport: handOver.transport, host, user, database, tls: this.tls !== null };
    findRule(worker.access.hba, caller).then((rule) => this.login.byRule(rule)).then(() => this.begin()).catch((error: unknown) => this.refuse(error));
  }

  /** What the client answers. The last answer is looked at later when too many logins from its address have failed. */
  private async nextAnswer(passwords: PasswordReader, isLast: boolean): Promise<Buffer> {
    const answer = await passwords.next();
    const { session: { worker: { loginFailures }, settings: { auth_failure_delay: delayMs } }, handOver: { host }, user } = this;
    for (;;) {
      const heldMs = isLast ? loginFailures.heldMs(host, user, delayMs) : 0;
      if (heldMs === 0 || this.session.over) break;
      await Promise.race([sleep(Math.min(heldMs, mostHeldMs), undefined, { ref: false }), this.left]);
    }
    if (this.session.over) throw new LoginRefused(errors.protocolViolation('the client has gone'), 'the client has gone', false);
    if (isLast) this.attempt = loginFailures.begin(host, user, delayMs);
    this.answeredMs = performance.now();
    return answer;
  }

  /** The client's answer was right, or there will be no verdict; or it was wrong and is about to be counted. */
  settleAttempt(): void {
    const { attempt, session: { worker } } = this;
    this.attempt = null;
    if (attempt !== null) worker.loginFailures.settle(attempt);
  }

  /** pool_hba.conf lets the client in, or it is the server's question that counts. */
  private begin(): void {
    if (this.session.over) return;
    this.session.beginTraffic();
    this.firstLink();
  }

  /** Waits for a link to the load-balance node: it shows that user and database exist, and what the server's parameters are. */
  firstLink(): void {
    const { session } = this;
    if (session.over || this.isRefused) return;
    const { router, supply } = session.traffic;
    const node = router.readerForLogin();
    if (node < 0) return session.fail(errors.allNodesDown());
    const expected = this.login.expected(node);
    if (expected !== null) {
      this.login.ask(expected).then(() => this.firstLink()).catch((error: unknown) => this.refuse(error));
      return;
    }
    const link = supply.get(node);
    if (link === null) session.client.stall();
    else this.welcome(link);
  }

  private welcome(link: BackendLink): void {
    const { session } = this;
    const { worker, childRow, traffic: { router } } = session;
    const refusal = this.login.refusalOf(link);
    if (refusal !== null) return this.refuse(refusal);
    this.settleAttempt();
    if (this.answeredMs !== 0) worker.loginFailures.succeeded(this.handOver.host, this.user);
    worker.childTable.setLoadBalanceNode(childRow, router.loadBalanceNode);
    // With it off, string literals end elsewhere than the parser thinks.
    if (link.parameters.get('standard_conforming_strings') === 'off' || startsIsolated(link.isolation)) {
      router.pinned = router.pinnedFromStart = true;
    }
    const canWrite = !router.isRaw && worker.nodes.primary >= 0;
    const key = keyData(worker.childTable.id(childRow), worker.childTable.secret(childRow).subarray(0, 4));
    session.welcomed();
    session.client.send(Buffer.concat([link.welcome(canWrite), key, readyForQuery(TX.idle)]));
    worker.childTable.setState(childRow, ChildState.idle);
    if (session.client.isStalled) session.client.proceed();
  }

  /** The client has not shown that it is who it says. A failure is answered late, and counted. */
  refuse(error: unknown): void {
    const { session } = this;
    if (this.isRefused) return;
    this.settleAttempt();
    if (!(error instanceof LoginRefused)) return session.clientBroken(error as Error);
    this.isRefused = true;
    session.worker.passwords.query.forget(this.user);
    // Also when the client has not waited for the verdict: no answer at once is an answer to one who guesses.
    const waitMs = error.isFailure ? this.noteFailure() : 0;
    if (!session.over) session.fail(error.error, { reason: error.reason, waitMs });
    else if (error.isFailure) session.log.log(LogLevel.fatal, error.error.message, { detail: error.reason });
  }

  /** A server has refused the login. With a password that only it can check, that is a guess of the client's. */
  refusedByServer(node: number, error: ServerRefusal): void {
    const { session, user } = this;
    // The server's own words tell users that exist from others.
    if (this.login.entry.standing === 'own' && error.sqlstate.startsWith('28')) return this.refuse(passwordRefused(user, `DB node ${node}: ${error.message}`));
    this.settleAttempt();
    session.worker.passwords.query.forget(user);
    if (error.sqlstate === '28P01') session.log.log(LogLevel.log, `DB node ${node} refuses what pgloom knows of the password of user "${user}"`);
    session.finish(`DB node ${node}: ${error.message}`, error.response);
  }

  /** Milliseconds that the answer is to wait yet: counted from the client's own, so that nobody learns how long it took to find out. */
  private noteFailure(): number {
    const { session: { worker, settings }, user, handOver: { host } } = this;
    const delayMs = worker.loginFailures.failed(host, user, settings.auth_failure_delay);
    const warning = worker.loginFailures.warning(host, user);
    if (warning !== null) worker.log.log(LogLevel.warning, warning);
    return this.answeredMs === 0 ? delayMs : Math.max(0, delayMs - (performance.now() - this.answeredMs));
  }

  /** The session is over. */
  close(): void {
    this.leave();
    this.passwords?.close();
  }
}
