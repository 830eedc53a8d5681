/**
 * A session's statements that call functions of pgpool_adm.
 *
 *   simple    Query ──▶ results asked of the primary thread ──▶ Query with the results in it
 *   extended  Parse ──▶ Parse with no rows of the right types
 *             Bind  ──▶ results asked ──▶ the statement prepared anew with them in it, silently ──▶ Bind
 *
 * So an order is carried out once for each Query and each Bind. Before an order everything that was asked is waited for: in a failed
 * transaction or behind an error nothing is done, as the server would do nothing.
 */
import { PgError } from '../../shared/errors.js';
import { pcpFunctionNames, type PcpAnswer } from '../../shared/pcp-functions.js';
import { F, TX } from '../../shared/protocol/letters.js';
import { int16, int32, message, query } from '../../shared/protocol/writer.js';
import type { BackendLink } from '../backend/backend-link.js';
import { shownBytes, Statement } from '../session/statement.js';
import type { Session } from '../session/session.js';
import type { Traffic } from '../session/traffic.js';
import { makePlan } from '../sql/make-plan.js';
import type { PcpCommand } from '../sql/own-command.js';
import { pcpText } from '../sql/pcp-text.js';
import { StatementKind, type Plan } from '../sql/plan.js';
import { ownSql } from './own-sql.js';
import { namesQuestion } from './pcp-desk.js';

export class PcpStatements {
  /** What the statement that waits has asked for. */
  private pending: { readonly text: string; answer: PcpAnswer | null } | null = null;
  /** Those of the functions that the database has: asked for the statement that waits. */
  private existing: ReadonlySet<string> | null = null;

  constructor(private readonly session: Session, private readonly traffic: Traffic) {}

  /** The plan where it is pgloom's, or the server's where it is that; null = wait. */
  resolved(plan: Plan): Plan | null {
    const { own } = plan;
    if (own === null || own.type !== 'pcp') return plan;
    if (this.pending?.text === own.text) return plan;
    if (!own.hasLogins && this.session.worker.settings.pcp_sql_users.length === 0) return own.otherwise;
    const { existing } = this;
    this.existing = null;
    if (existing !== null) return own.sites.some(({ name }) => existing.has(name)) ? own.otherwise : plan;
    this.traffic.waitFor('facts');
    const learnt = (names: Iterable<string>): void => {
      this.existing = new Set(names);
      this.traffic.factsArrived();
    };
    // Where the catalog cannot be asked the server shall say what it thinks.
    this.traffic.supply.askCatalog(namesQuestion).then((rows) => learnt(rows.map(([name]) => name ?? '')), () => learnt(pcpFunctionNames));
    return null;
  }

  /* ---- simple protocol ---- */

  /** The Query to be sent in place of the client's, with its plan; null = wait. */
  query(own: PcpCommand): { readonly message: Buffer; readonly plan: Plan } | null {
    if (!this.settle(null)) return null;
    const answer = this.answer(own);
    if (answer === null) return null;
    if (answer.type === 'results') return { message: queryOf(pcpText(own.text, own.sites, answer.results)), plan: own.rest };
    return { message: query(ownSql({ type: 'error', error: errorOf(answer) })), plan: makePlan(StatementKind.read, { counts: own.rest.counts }) };
  }

  /** What was made of the client's Query is on its way. */
  sent(link: BackendLink, own: PcpCommand): void {
    this.pending = null;
    link.statement = own.text.slice(0, shownBytes);
  }

  /* ---- extended protocol ---- */

  /**
   * The statement for a Parse: it has the right columns, and no rows.
   * @param types what follows the text in the client's message: the types of its parameters
   */
  parsed(name: string, own: PcpCommand, types: Buffer): Statement {
    return this.statement(name, own, own.refusal === null ? pcpText(own.text, own.sites, null) : ownSql({ type: 'error', error: refused(own.refusal) }), types);
  }

  private statement(name: string, own: PcpCommand, text: string, types: Buffer): Statement {
    const bytes = message(F.parse, cString(name), cString(text), types);
    const from = 5 + name.length + 1;
    // Not to a standby that is perhaps being detached.
    const mayLeave = !own.acts && this.traffic.texts.mayLeave(own.rest, bytes, from, from + text.length);
    return new Statement(name, bytes, own.rest, mayLeave, false, own.text.slice(0, shownBytes));
  }

  /** Results are under way or here. */
  get hasAsked(): boolean {
    return this.pending !== null;
  }

  /** Are the results for a Bind there? False = wait. */
  isReady(own: PcpCommand): boolean {
    return this.answer(own) !== null;
  }

  /**
   * Puts the results into the statement that is being bound, on the link that its batch runs on; or makes the batch fail there.
   * @param statement as it was parsed
   */
  renew(link: BackendLink, statement: Statement, own: PcpCommand): void {
    const answer = this.answer(own);
    this.pending = null;
    if (answer === null) return;
    if (answer.type === 'refused') return this.fail(link, errorOf(answer));
    const renewed = this.statement(statement.name, own, pcpText(own.text, own.sites, answer.results), typesOf(statement));
    if (statement.name !== '') {
      link.expectClose(statement.name, true);
      link.send(message(F.close, Buffer.from('S'), cString(statement.name)));
    }
    // To the session it stays the statement that the client has parsed.
    link.expectParse(statement, true);
    link.send(renewed.message);
  }

  /** What the client sends up to its Sync is skipped by the server. Its Bind is answered by ours. */
  private fail(link: BackendLink, error: PgError): void {
    const raises = new Statement('', message(F.parse, '', ownSql({ type: 'error', error }), int16(0)), makePlan(StatementKind.read), true);
    link.expectParse(raises, true);
    link.send(Buffer.concat([raises.message, message(F.bind, '', '', int16(0), int16(0), int16(0)), message(F.execute, '', int32(0))]));
  }

  /** The batch has failed before the Bind came to its turn. */
  forget(): void {
    this.pending = null;
  }

  /* ---- results ---- */

  /**
   * Everything asked is answered, or cannot be waited for; else an open batch is ended and the client waits.
   * @param split the link whose batch it is, when the rest of that batch depends on its success
   */
  settle(split: BackendLink | null): boolean {
    const { current } = this.traffic;
    if (current === null || current.quiet || !current.countable) return true;
    const isOpen = current.batchOpen;
    if (isOpen) current.endBatchSilently();
    this.traffic.waitForAnswers(isOpen ? split : null);
    return false;
  }

  private answer(own: PcpCommand): PcpAnswer | null {
    if (this.pending?.text === own.text) {
      if (this.pending.answer === null) this.traffic.waitFor('facts');
      return this.pending.answer;
    }
    const { session, traffic } = this;
    if (own.refusal !== null) return refusal(own.refusal);
    const calls = own.sites.map(({ call }) => call);
    // The server refuses it in such a transaction, and an order is not to be carried out then.
    if (traffic.status === TX.failed || calls.every(({ isNull }) => isNull)) return { type: 'results', results: own.sites.map(({ name, call }) => nullRows(name, call.isNull)) };
    if (own.acts && traffic.current?.countable === false) return refusal('pgloom carries out no orders in the middle of a COPY or a mixed batch');
    const pending: { text: string; answer: PcpAnswer | null } = { text: own.text, answer: null };
    this.pending = pending;
    traffic.waitFor('facts');
    session.askPcp(calls, (answer) => {
      pending.answer = answer;
      traffic.factsArrived();
    });
    return null;
  }
}

function nullRows(name: string, isNull: boolean): (readonly null[])[] {
  // A row of NULLs comes from a strict function that gives one row, none from one that gives many.
  return !isNull || name === 'pcp_pool_status' || name === 'pcp_proc_info' ? [] : [[]];
}

/** @param text one character for each byte */
function cString(text: string): Buffer {
  return Buffer.from(`${text}\0`, 'latin1');
}

function queryOf(text: string): Buffer {
  return message(F.query, cString(text));
}

/** What follows the text in a Parse. */
function typesOf({ message: parse }: Statement): Buffer {
  const textEnd = parse.indexOf(0, parse.indexOf(0, 5) + 1);
  return parse.subarray(textEnd + 1);
}

function refusal(text: string): PcpAnswer {
  const { sqlstate, message: what, hint } = refused(text);
  return { type: 'refused', sqlstate, message: what, hint };
}

function refused(text: string): PgError {
  return new PgError('ERROR', '0A000', text, { hint: 'The extension pgpool_adm is not installed in this database; pgloom stands in for it.' });
}

function errorOf({ sqlstate, message: text, detail, hint }: Extract<PcpAnswer, { type: 'refused' }>): PgError {
  return new PgError('ERROR', sqlstate, text, { detail, hint });
}
