/**
 * An extended-protocol batch: what a client sends up to a Sync.
 *
 * The server runs a batch as one implicit transaction, so a batch goes to one node. Its messages are held back until a Sync or
 * Flush shows all of it (or until they are too many), then the node is chosen for the whole: the reader if every
 * statement may go there, else the primary.
 *
 *   (nothing) ──Parse, Bind, …──▶ undecided ──Sync, Flush, too long──▶ on a link ──Sync──▶ (nothing)
 */
import type { BackendLink } from '../backend/backend-link.js';
import type { Plan } from '../sql/plan.js';
import type { Statement } from './statement.js';

export class Batch {
  /** The link it runs on; null while undecided or when there is none. */
  link: BackendLink | null = null;
  /** Messages that have not been sent anywhere. */
  undecided = false;
  /** Something in it can only go to the primary, whatever the plans say (named portals, unknown statements, …). */
  needsPrimary = false;
  /** It needs the link that holds the unnamed portal of an earlier batch. */
  needsPortal = false;
  /** Statements that decide where it may go. */
  readonly touched: Statement[] = [];
  /** Parse messages in it that have not been sent, in order. */
  readonly parses: Statement[] = [];
  /** All it has parsed, by name: of several of one name the latest. */
  private readonly latest = new Map<string, Statement>();
  /** What its Execute messages run; null for portals that are not known. Booked when it is known where they run. */
  readonly executes: (Plan | null)[] = [];
  /** How many of `parses` stand before each of them. */
  private readonly parsesBefore: number[] = [];
  /** Close messages in it that have not been sent: names of statements, null for portals. */
  readonly closes: (string | null)[] = [];
  /** Names bound or described that were not parsed in this batch before: the link must have them. */
  readonly wanted: string[] = [];

  get isOpen(): boolean {
    return this.undecided || this.link !== null;
  }

  /** A statement of this name that the batch itself has parsed, the latest. */
  parsed(name: string): Statement | undefined {
    return this.latest.size === 0 ? undefined : this.latest.get(name);
  }

  /** A Parse joins it. */
  parse(statement: Statement): void {
    this.latest.set(statement.name, statement);
    if (this.link === null) this.parses.push(statement);
    else this.link.expectParse(statement, false);
  }

  /** An Execute joins it before it is known where it runs. */
  execute(plan: Plan | null): void {
    this.executes.push(plan);
    this.parsesBefore.push(this.parses.length);
  }

  /** Books what is being sent on the link, in order. */
  book(link: BackendLink, executed: (plan: Plan | null) => void): void {
    let parsed = 0;
    for (let i = 0; i < this.executes.length; i++) {
      for (const upTo = this.parsesBefore[i] ?? 0; parsed < upTo; parsed++) link.expectParse(this.parses[parsed] as Statement, false);
      executed(this.executes[i] ?? null);
    }
    for (; parsed < this.parses.length; parsed++) link.expectParse(this.parses[parsed] as Statement, false);
    for (const name of this.closes) link.expectClose(name);
  }

  /** It has been sent up to here; it may go on. */
  decided(link: BackendLink): void {
    this.link = link;
    this.undecided = false;
    this.forget();
  }

  close(): void {
    this.link = null;
    this.undecided = false;
    this.needsPrimary = false;
    this.needsPortal = false;
    this.forget();
    if (this.latest.size > 0) this.latest.clear();
  }

  private forget(): void {
    if (this.touched.length > 0) this.touched.length = 0;
    if (this.wanted.length > 0) this.wanted.length = 0;
    if (this.closes.length > 0) this.closes.length = 0;
    if (this.parses.length > 0) this.parses.length = 0;
    if (this.executes.length > 0) this.executes.length = this.parsesBefore.length = 0;
  }
}

/** What the portals of a session run, as far as it matters for what Execute does to the session. */
export class Portals {
  unnamed: Plan | null = null;
  unnamedLink: BackendLink | null = null;
  private readonly named = new Map<string, Plan>();

  bind(name: string, plan: Plan | null): void {
    if (name === '') this.unnamed = plan;
    else if (plan !== null) this.named.set(name, plan);
  }

  plan(name: string): Plan | null {
    return name === '' ? this.unnamed : (this.named.get(name) ?? null);
  }

  /** Portals end with their transaction. */
  clearNamed(): void {
    if (this.named.size > 0) this.named.clear();
  }
}
