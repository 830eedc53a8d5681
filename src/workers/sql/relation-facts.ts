/**
 * What the catalog of one database says about the relations and functions of plans: may this read leave the primary?
 * (reference/semantics.md 1.3 rows 2–4 and 6.) Facts are asked for once and remembered until the data definition
 * changes (`ddlGeneration` of the node table), the settings change, or relcache_expire has passed.
 *
 *   plan's memory ─▶ this worker's facts ─▶ facts that all workers share ─▶ a server (fact-source.ts)
 */
import type { Settings } from '../../shared/settings.js';
import { classify } from './classify.js';
import { FactSource, type Ask, type Reader } from './fact-source.js';
import type { NameFacts } from './facts-query.js';
import { canParse } from './grammar.js';
import { PatternList } from './pattern-list.js';
import { StatementKind, type NameInPlan, type Plan, type Verdict } from './plan.js';
import { RecentMap } from './recent-map.js';
import type { FactKind, SharedFacts } from './shared-facts.js';

export type { Ask, Reader } from './fact-source.js';

/** The parameters that decide. */
export type FactsSettings = Pick<Settings, 'check_temp_table' | 'check_unlogged_table' | 'read_only_function_list'
  | 'write_function_list' | 'relcache_size' | 'relcache_expire'>;

/** Views upon views: so deep is looked. */
const maxRounds = 8;
/** Names asked for in one go; a statement with more is the primary's. */
const maxNames = 200;
/** relcache_size is Pgpool-II's for each kind of look-up; a view chain needs some room. */
const minEntries = 64;

/** Built-in functions that are not volatile but fail on a standby, or tell about the session that runs them. */
const ofPrimary = new Set([
  'txid_current', 'txid_current_if_assigned', 'pg_current_xact_id', 'pg_current_xact_id_if_assigned',
  'pg_listening_channels', 'pg_prepared_statement', 'pg_cursor', 'pg_my_temp_schema',
]);

/** A name's facts with the definitions already read. */
interface KnownName {
  readonly facts: NameFacts;
  readonly plans: readonly Plan[];
}

export class RelationFacts {
  private settings: FactsSettings;
  private readOnlyFunctions!: PatternList;
  private writeFunctions!: PatternList;
  private relations!: RecentMap<string, KnownName>;
  private functions!: RecentMap<string, KnownName>;
  private generation = -1;
  /** Counts how often everything was forgotten; a plan's memory is good for one number. */
  private version = 0;
  private source = new FactSource();
  /** relcache_expire; Infinity is without end. */
  private lifeMs = Infinity;
  private expiresAtMs = Infinity;
  private readonly asking = new Map<Plan, Promise<Verdict>>();

  /**
   * @param currentSettings the settings in force; a new object means that they have changed
   * @param shared what other workers have learnt about the database; null keeps facts to this worker
   */
  constructor(private readonly currentSettings: () => FactsSettings, private readonly shared: SharedFacts | null = null) {
    this.settings = currentSettings();
    this.forget(-1);
  }

  /**
   * The verdict if it is known without asking.
   *
   * @param generation the node table's ddlGeneration now
   */
  quickVerdict(plan: Plan, generation: number): Verdict | undefined {
    if (generation !== this.generation || this.settings !== this.currentSettings() || this.isExpired()) this.forget(generation);
    if (plan.scope === this && plan.scopeGeneration === this.version && plan.scopeVerdict !== null) return plan.scopeVerdict;
    const verdict = this.judge(plan, new Search());
    if (verdict !== undefined) this.remember(plan, verdict);
    return verdict;
  }

  /**
   * The verdict, asked for when it is not known. Rejects when `ask` does: the statement is the primary's then.
   *
   * @param generation the node table's ddlGeneration now
   * @param ask asks the primary
   * @param reader is asked instead where that is safe; null is nobody
   */
  verdict(plan: Plan, generation: number, ask: Ask, reader: Reader | null = null): Promise<Verdict> | Verdict {
    const known = this.quickVerdict(plan, generation);
    if (known !== undefined) return known;
    const already = this.asking.get(plan);
    if (already !== undefined) return already;
    const answer = this.askFor(plan, ask, reader).finally(() => {
      if (this.asking.get(plan) === answer) this.asking.delete(plan);
    });
    this.asking.set(plan, answer);
    return answer;
  }

  private async askFor(plan: Plan, ask: Ask, reader: Reader | null): Promise<Verdict> {
    const { version, generation, source } = this;
    const search = new Search();
    for (let round = 0; round < maxRounds; round++) {
      search.begin();
      const verdict = this.judge(plan, search);
      if (verdict !== undefined) {
        // What was found while everything was forgotten, or cannot be relied on, serves this statement only.
        if (version === this.version && search.isLasting) this.remember(plan, verdict);
        return verdict;
      }
      if (search.relations.size + search.functions.size > maxNames) return 'opaque';
      if (this.shared !== null) this.adopt(this.shared, generation, search, version === this.version);
      if (search.isComplete) continue;
      const question = { relations: [...search.relations.values()], functions: [...search.functions.values()] };
      const answer = await source.answer(question, ask, reader);
      const keep = version === this.version;
      const learn = (kind: FactKind, name: NameInPlan, facts: NameFacts | undefined): void => {
        this.learn(kind, name, facts, search, keep);
        if (keep && facts !== undefined) this.shared?.put(generation, kind, name, facts);
      };
      question.relations.forEach((name, i) => learn('relation', name, answer.relations.get(i)));
      question.functions.forEach((name, i) => learn('function', name, answer.functions.get(i)));
    }
    return 'opaque';
  }

  /** Takes over what other workers know of the names that are missing, and strikes those names from the search. */
  private adopt(shared: SharedFacts, generation: number, search: Search, keep: boolean): void {
    for (const kind of ['relation', 'function'] as const) {
      const missing = kind === 'relation' ? search.relations : search.functions;
      for (const [key, name] of missing) {
        const fact = shared.get(generation, kind, name);
        const endMs = fact === undefined ? 0 : fact.learntMs + this.lifeMs;
        if (fact === undefined || endMs <= Date.now()) continue;
        missing.delete(key);
        this.learn(kind, name, fact.facts, search, keep);
        // It has lived for a while already.
        if (keep) this.expiresAtMs = Math.min(this.expiresAtMs, endMs);
      }
    }
  }

  private learn(kind: FactKind, name: NameInPlan, facts: NameFacts | undefined, search: Search, keep: boolean): void {
    const found = kind === 'relation' ? search.foundRelations : search.foundFunctions;
    const key = keyOf(name);
    if (facts === undefined) {
      found.set(key, null);
      return;
    }
    const known = { facts, plans: (facts.definitions ?? []).map(classify) };
    found.set(key, known);
    // A temporary table goes with its session, and nobody is told.
    if (!keep || !canParse() || this.temporaryMatters(facts)) return;
    if (kind === 'relation') this.relations.set(key, known);
    else this.functions.set(key, known);
  }

  /**
   * What a temporary relation of that name means, check_temp_table. The session's own temporary relations need no look: its
   * reads stay on the primary from the statement on that made one. That is all that 'trace' traces in Pgpool-II. So it
   * differs from 'catalog' only where a permanent relation has the name too: others' temporary ones do not count then.
   */
  private temporaryMatters({ temporary }: NameFacts): boolean {
    switch (this.settings.check_temp_table) {
      case 'none': return false;
      case 'trace': return temporary === 'all';
      default: return temporary !== 'none';
    }
  }

  private remember(plan: Plan, verdict: Verdict): void {
    plan.scope = this;
    plan.scopeGeneration = this.version;
    plan.scopeVerdict = verdict;
  }

  private isExpired(): boolean {
    return this.expiresAtMs !== Infinity && Date.now() >= this.expiresAtMs;
  }

  private forget(generation: number): void {
    this.settings = this.currentSettings();
    const { relcache_size, relcache_expire, read_only_function_list, write_function_list } = this.settings;
    const entries = Math.max(minEntries, relcache_size);
    this.relations = new RecentMap(entries, entries * 4096, weightOf);
    this.functions = new RecentMap(entries, entries * 4096, weightOf);
    this.readOnlyFunctions = new PatternList(read_only_function_list);
    this.writeFunctions = new PatternList(write_function_list);
    this.lifeMs = Number(relcache_expire) * 1000 || Infinity;
    this.expiresAtMs = Date.now() + this.lifeMs;
    this.source = new FactSource();
    this.generation = generation;
    this.version++;
    this.asking.clear();
  }

  /** The verdict as far as facts are known; undefined when names are missing, which `search` then holds. */
  private judge(plan: Plan, search: Search): Verdict | undefined {
    let worst: Verdict = 'balance';
    const plans: Plan[] = [plan];
    const seen = new Set(plans);
    for (let next = plans.pop(); next !== undefined; next = plans.pop()) {
      if (next !== plan && next.kind !== StatementKind.read) worst = 'writes';
      if (next !== plan && next.opaque) return 'opaque';
      for (const name of next.functions) {
        const verdict = this.functionVerdict(name, search);
        if (verdict === 'opaque') return 'opaque';
        if (verdict === 'writes' || (verdict === 'primary' && worst === 'balance')) worst = verdict;
      }
      for (const name of next.relations) {
        const known = this.relationVerdict(name, search);
        if (known === 'primary' && worst === 'balance') worst = 'primary';
        for (const inner of known === 'primary' ? [] : (known ?? [])) {
          if (!seen.has(inner)) plans.push(inner);
          seen.add(inner);
        }
      }
    }
    return search.isComplete ? worst : undefined;
  }

  /** 'primary', or the plans of what runs when the relation is read. */
  private relationVerdict(name: NameInPlan, search: Search): 'primary' | readonly Plan[] | undefined {
    if (isOfPrimarySchema(name.schema)) return 'primary';
    const key = keyOf(name);
    const known = search.foundRelations.get(key) ?? this.relations.get(key);
    if (known === undefined) {
      if (search.foundRelations.has(key)) {
        search.isLasting = false;
        return 'primary';
      }
      search.relations.set(key, name);
      return undefined;
    }
    const { facts, plans } = known;
    const temporary = this.temporaryMatters(facts);
    if (temporary) search.isLasting = false;
    if (temporary || facts.catalog || facts.definitions === null) return 'primary';
    if (facts.unlogged && this.settings.check_unlogged_table) return 'primary';
    return plans;
  }

  private functionVerdict(name: NameInPlan, search: Search): Verdict | undefined {
    // A function of pg_temp is the session's own work.
    if (name.schema.startsWith('pg_temp')) return 'opaque';
    const asListed = this.listedVerdict(name);
    if (asListed === 'balance') return 'balance';
    // Named as one that writes: no more is done about it than with Pgpool-II.
    if (asListed === 'writes' && this.readOnlyFunctions.isEmpty) return 'writes';
    const key = keyOf(name);
    const known = search.foundFunctions.get(key) ?? this.functions.get(key);
    if (known === undefined) {
      if (search.foundFunctions.has(key)) {
        // Not there, or not there yet for others than its maker: it may be anything.
        search.isLasting = false;
        return 'opaque';
      }
      search.functions.set(key, name);
      return undefined;
    }
    const { facts } = known;
    if (facts.opaque) return 'opaque';
    if (asListed === 'writes' || facts.volatile) return 'writes';
    return ofPrimary.has(name.name) ? 'primary' : 'balance';
  }

  /** What read_only_function_list and write_function_list say, semantics.md 1.5; null when both are empty. */
  private listedVerdict({ schema, name }: NameInPlan): Verdict | null {
    const written = schema === '' ? name : `${schema}.${name}`;
    if (!this.readOnlyFunctions.isEmpty) return this.readOnlyFunctions.matches(written) ? 'balance' : 'writes';
    if (!this.writeFunctions.isEmpty) return this.writeFunctions.matches(written) ? 'writes' : 'balance';
    return null;
  }
}

/** One search for a verdict: what is still missing, and what was found on the way. */
class Search {
  readonly foundRelations = new Map<string, KnownName | null>();
  readonly foundFunctions = new Map<string, KnownName | null>();
  relations = new Map<string, NameInPlan>();
  functions = new Map<string, NameInPlan>();
  /** The verdict rests on nothing that may be different the next time without a sign. */
  isLasting = true;

  get isComplete(): boolean {
    return this.relations.size === 0 && this.functions.size === 0;
  }

  begin(): void {
    this.relations = new Map();
    this.functions = new Map();
    this.isLasting = true;
  }
}

function keyOf({ schema, name }: NameInPlan): string {
  return `${schema}\0${name}`;
}

function isOfPrimarySchema(schema: string): boolean {
  return schema === 'pg_catalog' || schema === 'information_schema' || schema.startsWith('pg_temp') || schema.startsWith('pg_toast');
}

function weightOf(key: string, { facts }: KnownName): number {
  return (facts.definitions ?? []).reduce((sum, text) => sum + text.length, key.length + 200);
}
